using Facestream;
using UnityEngine;

/// <summary>
/// Hands vowels and blinks to something that is no mesh, for example UniVRM's expressions: put its call where the comment is.
/// A VRM model whose mesh has the shapes needs no script: FacestreamFace finds them by name.
/// </summary>
[RequireComponent(typeof(FacestreamFace))]
public sealed class VrmExpressions : MonoBehaviour
{
    private void OnEnable()
    {
        GetComponent<FacestreamFace>().Applied += Apply;
    }

    private void OnDisable()
    {
        GetComponent<FacestreamFace>().Applied -= Apply;
    }

    private void Apply(ExpressionSet values)
    {
        for (int i = ExpressionSet.FirstVowel; i < ExpressionSet.Count; i++)
        {
            SetWeight(ExpressionSet.Names[i], values.Values[i]);
        }
    }

    private void SetWeight(string expression, float weight)
    {
        // with UniVRM 1.0: vrm.Runtime.Expression.SetWeight(ExpressionKey.CreateFromPreset(...), weight)
    }
}
