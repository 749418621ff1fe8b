using System.Collections.Generic;
using UnityEditor;
using UnityEngine;

namespace Facestream.Editor
{
    /// <summary>Shows, below the fields of a face, which shapes of its meshes were found and which were not.</summary>
    [CustomEditor(typeof(FacestreamFace))]
    public sealed class FacestreamFaceInspector : UnityEditor.Editor
    {
        /// <inheritdoc/>
        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            var face = (FacestreamFace)target;
            EditorGUILayout.Space();
            IReadOnlyList<SkinnedMeshRenderer> meshes = face.Renderers;
            if (meshes.Count == 0)
            {
                meshes = face.GetComponentsInChildren<SkinnedMeshRenderer>();
            }
            foreach (SkinnedMeshRenderer one in meshes)
            {
                if (one != null && one.sharedMesh != null && one.sharedMesh.blendShapeCount > 0)
                {
                    ShowMatch(one);
                }
            }
        }

        private static void ShowMatch(SkinnedMeshRenderer one)
        {
            ShapeMatcher match = ShapeMatcher.Match(MeshShapes.NamesOf(one.sharedMesh));
            int visemes = match.CountIn(ExpressionSet.FirstViseme, VisemeSolver.Count);
            int vowels = match.CountIn(ExpressionSet.FirstVowel, 5);
            string found = $"ARKit {match.MatchedArkit} of 52, visemes {visemes} of 15, vowels {vowels} of 5";
            EditorGUILayout.LabelField(one.name, found);
            if (match.MatchedArkit > 0 && match.MatchedArkit < ArkitCurves.Count)
            {
                string missing = match.Missing(0, ArkitCurves.Count);
                EditorGUILayout.HelpBox($"Not found on {one.name}: {missing}. Name their shapes in Settings.", MessageType.Info);
            }
        }
    }
}
