using System.Collections.Generic;
using UnityEngine;

namespace Facestream.Editor
{
    /// <summary>Names of the shapes of a mesh.</summary>
    internal static class MeshShapes
    {
        internal static List<string> NamesOf(Mesh mesh)
        {
            var names = new List<string>();
            for (int i = 0; i < mesh.blendShapeCount; i++)
            {
                names.Add(mesh.GetBlendShapeName(i));
            }
            return names;
        }
    }
}
