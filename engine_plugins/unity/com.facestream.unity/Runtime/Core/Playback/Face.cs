namespace Facestream
{
    /// <summary>One drawn moment. Its arrays are made once and filled anew.</summary>
    public sealed class Face
    {
        /// <summary>Weights of <see cref="ArkitCurves"/>, 0 to 1.</summary>
        public readonly float[] Weights = new float[ArkitCurves.Count];

        /// <summary>Rotation of the head, of the left eye, of the right eye: quaternions x y z w. Right-handed, +Y up,
        /// +Z out of the face.</summary>
        public readonly float[] Rotations = { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 };

        /// <summary>Whether frames are missing here, so that the face holds or eases to rest.</summary>
        public bool IsStarved = true;
    }
}
