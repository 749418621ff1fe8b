using System;
using UnityEditor;
using UnityEngine;

namespace Facestream.Editor
{
    /// <summary>Animates an audio clip once and for all: an animation clip that plays without a server.</summary>
    public static class ClipBaker
    {
        private const int SampleRate = 48000;
        private const float Flat = 1e-4f;

        /// <summary>
        /// A clip with a curve for each shape that moves, on the path from <paramref name="root"/> to the renderer. Raises
        /// <see cref="FacestreamException"/>.
        /// </summary>
        public static AnimationClip Bake(
            FacestreamConnection connection,
            AudioClip audio,
            SkinnedMeshRenderer renderer,
            Transform root,
            Func<float, bool> progress)
        {
            var samples = new float[audio.samples * audio.channels];
            if (!audio.GetData(samples, 0))
            {
                throw new FacestreamException(
                    FailureKind.InvalidValue, $"{audio.name}: can not be read; set its Load Type to Decompress On Load");
            }
            float[] mono = Resampling.ToMono(samples, audio.channels, audio.frequency, SampleRate);
            Recording recording;
            using (ITransport transport = connection.CreateTransport())
            {
                recording = Recording.Animate(transport, mono, connection.Options(SampleRate), progress);
            }
            return ClipOf(recording, renderer, AnimationUtility.CalculateTransformPath(renderer.transform, root));
        }

        private static AnimationClip ClipOf(Recording recording, SkinnedMeshRenderer renderer, string path)
        {
            Mesh mesh = renderer.sharedMesh;
            ShapeMatcher match = ShapeMatcher.Match(MeshShapes.NamesOf(mesh));
            var clip = new AnimationClip { frameRate = (float)recording.Clock.FramesPerSecond };
            for (int value = 0; value < ArkitCurves.Count; value++)
            {
                int shape = match.Shapes[value];
                if (shape < 0)
                {
                    continue;
                }
                float full = mesh.GetBlendShapeFrameWeight(shape, mesh.GetBlendShapeFrameCount(shape) - 1);
                AnimationCurve curve = CurveOf(recording, value, full);
                if (curve.length > 0)
                {
                    clip.SetCurve(path, typeof(SkinnedMeshRenderer), "blendShape." + mesh.GetBlendShapeName(shape), curve);
                }
            }
            return clip;
        }

        /// <summary>Keys where the curve bends; between them it is straight, as a live stream shows it.</summary>
        private static AnimationCurve CurveOf(Recording recording, int value, float full)
        {
            var curve = new AnimationCurve();
            int count = recording.Rows.Count;
            for (int i = 0; i < count; i++)
            {
                float here = recording.Rows[i][value];
                bool isEnd = i == 0 || i == count - 1;
                if (isEnd || Math.Abs(recording.Rows[i - 1][value] + recording.Rows[i + 1][value] - (2 * here)) > Flat)
                {
                    curve.AddKey(new Keyframe((float)(i / recording.Clock.FramesPerSecond), here * full));
                }
            }
            for (int i = 0; i < curve.length; i++)
            {
                AnimationUtility.SetKeyLeftTangentMode(curve, i, AnimationUtility.TangentMode.Linear);
                AnimationUtility.SetKeyRightTangentMode(curve, i, AnimationUtility.TangentMode.Linear);
            }
            return curve;
        }
    }
}
