using System;
using System.Collections.Generic;
using UnityEngine;

namespace Facestream
{
    /// <summary>Which shapes of a mesh are moved.</summary>
    public enum ShapeSet
    {
        /// <summary>ARKit's where there are ten at least, else visemes, else the vowels of VRM.</summary>
        Automatic,

        /// <summary>The 52 of ARKit ("perfect sync" of VRM).</summary>
        Arkit,

        /// <summary>The 15 of Oculus and Ready Player Me, and blinks.</summary>
        Visemes,

        /// <summary>The five vowels and the blinks of VRM.</summary>
        Vowels,
    }

    /// <summary>A value's strength and, where matching by name fails, its shape.</summary>
    [Serializable]
    public struct ShapeSetting
    {
        /// <summary>One of our names: a curve of ARKit, viseme_aa, aa, blink ...</summary>
        public string Name;

        /// <summary>Name of the shape on the mesh; empty where it is found by name.</summary>
        public string Shape;

        /// <summary>The weight times this.</summary>
        [Range(0, 2)]
        public float Gain;
    }

    /// <summary>Moves the shapes of meshes, and bones of head and eyes, by what a source says.</summary>
    [AddComponentMenu("facestream/Face")]
    [DefaultExecutionOrder(1000)]
    public sealed class FacestreamFace : MonoBehaviour
    {
        private const int EnoughOfArkit = 10;
        private const float EasePerSecond = 12;
        private const float Still = 0.001f;

        [SerializeField]
        private FacestreamSource source;

        [Tooltip("Face, teeth, tongue, lashes ...; empty for every one below this object.")]
        [SerializeField]
        private SkinnedMeshRenderer[] renderers = { };

        [SerializeField]
        private ShapeSet shapes = ShapeSet.Automatic;

        [SerializeField]
        private ShapeSetting[] settings = { };

        [Tooltip("Optional: turned by models that move the head.")]
        [SerializeField]
        private Transform head;

        [SerializeField]
        private Transform leftEye;

        [SerializeField]
        private Transform rightEye;

        private readonly Face _face = new Face();
        private readonly ExpressionSet _expressions = new ExpressionSet();
        private readonly float[] _gains = new float[ExpressionSet.Count];
        private readonly List<MovedShape> _moved = new List<MovedShape>();
        private Quaternion _headRest;
        private Quaternion _leftEyeRest;
        private Quaternion _rightEyeRest;
        private bool _isAtRest = true;

        /// <summary>Called once for each drawn frame with all values, for what is no mesh; see the VRM sample.</summary>
        public event Action<ExpressionSet> Applied;

        /// <summary>What the face follows.</summary>
        public FacestreamSource Source
        {
            get => source;
            set => source = value;
        }

        /// <summary>The meshes that are moved.</summary>
        public IReadOnlyList<SkinnedMeshRenderer> Renderers => renderers;

        /// <summary>How many shapes are moved.</summary>
        public int MovedShapes => _moved.Count;

        /// <summary>Look up the shapes again, after meshes or settings have changed.</summary>
        public void Match()
        {
            if (renderers.Length == 0)
            {
                renderers = GetComponentsInChildren<SkinnedMeshRenderer>();
            }
            _moved.Clear();
            var own = new Dictionary<string, string>();
            for (int i = 0; i < _gains.Length; i++)
            {
                _gains[i] = 1;
            }
            foreach (ShapeSetting setting in settings)
            {
                ReadSetting(setting, own);
            }
            var problems = new List<string>();
            foreach (SkinnedMeshRenderer one in renderers)
            {
                MatchMesh(one, own, problems);
            }
            if (_moved.Count == 0)
            {
                string found = problems.Count > 0 ? string.Join("; ", problems) : "no SkinnedMeshRenderer below this object";
                Debug.LogWarning($"facestream: {name} has no shapes that can speak: {found}", this);
            }
        }

        private void ReadSetting(ShapeSetting setting, Dictionary<string, string> own)
        {
            int value = IndexOf(setting.Name);
            if (value < 0)
            {
                Debug.LogWarning($"facestream: no value named '{setting.Name}'; there are ARKit's, viseme_aa ..., aa ...", this);
                return;
            }
            _gains[value] = setting.Gain;
            if (!string.IsNullOrEmpty(setting.Shape))
            {
                own[setting.Name] = setting.Shape;
            }
        }

        private void MatchMesh(SkinnedMeshRenderer target, Dictionary<string, string> own, List<string> problems)
        {
            Mesh mesh = target.sharedMesh;
            var names = new List<string>();
            for (int i = 0; mesh != null && i < mesh.blendShapeCount; i++)
            {
                names.Add(mesh.GetBlendShapeName(i));
            }
            var ownHere = new Dictionary<string, string>();
            foreach (KeyValuePair<string, string> pair in own)
            {
                if (names.Contains(pair.Value))
                {
                    ownHere.Add(pair.Key, pair.Value);
                }
            }
            ShapeMatcher match = ShapeMatcher.Match(names, ownHere);
            ShapeSet set = Chosen(match);
            int before = _moved.Count;
            if (set == ShapeSet.Arkit)
            {
                Add(target, match, 0, ArkitCurves.Count);
            }
            else
            {
                // silence is no shape to be shown
                int first = set == ShapeSet.Visemes ? ExpressionSet.FirstViseme + 1 : ExpressionSet.FirstVowel;
                int end = set == ShapeSet.Visemes ? ExpressionSet.FirstVowel : ExpressionSet.FirstBlink;
                Add(target, match, first, end - first);
                bool hasSides = match.Shapes[ExpressionSet.FirstBlink + 1] >= 0;
                Add(target, match, ExpressionSet.FirstBlink + (hasSides ? 1 : 0), hasSides ? 2 : 1);
            }
            if (_moved.Count == before)
            {
                problems.Add($"{target.name} has {string.Join(", ", names)}");
            }
        }

        private ShapeSet Chosen(ShapeMatcher match)
        {
            if (shapes != ShapeSet.Automatic)
            {
                return shapes;
            }
            int vowels = match.CountIn(ExpressionSet.FirstVowel, 5);
            int visemes = match.CountIn(ExpressionSet.FirstViseme, VisemeSolver.Count);
            bool hasMore = visemes > 0 || vowels > 0;
            return match.MatchedArkit >= EnoughOfArkit || !hasMore ? ShapeSet.Arkit
                : visemes > 0 ? ShapeSet.Visemes
                : ShapeSet.Vowels;
        }

        private void Add(SkinnedMeshRenderer target, ShapeMatcher match, int first, int count)
        {
            for (int value = first; value < first + count; value++)
            {
                int shape = match.Shapes[value];
                if (shape >= 0)
                {
                    // 100 in Unity's own importers, 1 in some of glTF
                    Mesh mesh = target.sharedMesh;
                    float full = mesh.GetBlendShapeFrameWeight(shape, mesh.GetBlendShapeFrameCount(shape) - 1);
                    _moved.Add(new MovedShape(target, shape, value, full));
                }
            }
        }

        private void Awake()
        {
            if (source == null)
            {
                source = GetComponentInParent<FacestreamSource>();
            }
            _headRest = RestOf(head);
            _leftEyeRest = RestOf(leftEye);
            _rightEyeRest = RestOf(rightEye);
            Match();
        }

        // behind the Animator, which would overwrite it
        private void LateUpdate()
        {
            bool hasFace = source != null && source.Evaluate(_face);
            if (!hasFace)
            {
                if (_isAtRest)
                {
                    return;
                }
                _isAtRest = Ease(1 - Mathf.Exp(-EasePerSecond * Time.deltaTime));
            }
            else
            {
                _isAtRest = false;
            }
            _expressions.Update(_face);
            for (int i = 0; i < _moved.Count; i++)
            {
                MovedShape moved = _moved[i];
                float weight = Mathf.Clamp01(_expressions.Values[moved.Value] * _gains[moved.Value]);
                moved.Renderer.SetBlendShapeWeight(moved.Shape, weight * moved.Full);
            }
            Turn(head, _headRest, 0);
            Turn(leftEye, _leftEyeRest, 4);
            Turn(rightEye, _rightEyeRest, 8);
            Applied?.Invoke(_expressions);
        }

        /// <summary>Go so far towards rest; whether it is reached.</summary>
        private bool Ease(float share)
        {
            float furthest = 0;
            for (int i = 0; i < _face.Weights.Length; i++)
            {
                _face.Weights[i] -= share * _face.Weights[i];
                furthest = Mathf.Max(furthest, _face.Weights[i]);
            }
            for (int i = 0; i < _face.Rotations.Length; i++)
            {
                float rest = i % 4 == 3 ? 1 : 0;
                _face.Rotations[i] += share * (rest - _face.Rotations[i]);
                furthest = Mathf.Max(furthest, Mathf.Abs(rest - _face.Rotations[i]));
            }
            if (furthest > Still)
            {
                return false;
            }
            Array.Clear(_face.Weights, 0, _face.Weights.Length);
            return true;
        }

        private void Turn(Transform bone, Quaternion rest, int first)
        {
            if (bone == null)
            {
                return;
            }
            // right-handed to left-handed: X is mirrored
            float[] q = _face.Rotations;
            var turned = new Quaternion(q[first], -q[first + 1], -q[first + 2], q[first + 3]);
            bone.localRotation = Quaternion.Normalize(turned) * rest;
        }

        private static Quaternion RestOf(Transform bone)
        {
            return bone == null ? Quaternion.identity : bone.localRotation;
        }

        private static int IndexOf(string name)
        {
            for (int i = 0; i < ExpressionSet.Count; i++)
            {
                if (ExpressionSet.Names[i] == name)
                {
                    return i;
                }
            }
            return -1;
        }

        private readonly struct MovedShape
        {
            internal readonly SkinnedMeshRenderer Renderer;
            internal readonly int Shape;
            internal readonly int Value;
            internal readonly float Full;

            internal MovedShape(SkinnedMeshRenderer renderer, int shape, int value, float full)
            {
                Renderer = renderer;
                Shape = shape;
                Value = value;
                Full = full;
            }
        }
    }
}
