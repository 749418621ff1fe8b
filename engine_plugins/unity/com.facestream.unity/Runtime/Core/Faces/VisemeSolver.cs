using System;

namespace Facestream
{
    /// <summary>
    /// The 15 visemes of Oculus and Ready Player Me out of ARKit weights. Each viseme is a sparse ARKit pose; its weight is
    /// how much of that pose a face holds: non-negative least squares, the sum at most 1, silence the rest.
    /// </summary>
    /// <remarks>
    /// The active sets of Lawson and Hanson (Solving Least Squares Problems, chapter 23), as the server does it: the poses
    /// are too much alike for anything that descends step by step. Nothing is allocated after construction.
    /// </remarks>
    public sealed class VisemeSolver
    {
        /// <summary>How many there are, silence included.</summary>
        public const int Count = 15;

        private const int Spoken = Count - 1;
        private const int MostRounds = 4 * Spoken;
        private const double Tolerance = 1e-9;

        /// <summary>Names in order, without a prefix.</summary>
        public static readonly string[] Names =
        {
            "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou",
        };

        // in the order of Names, without silence; "S" stands for a shape's Left and Right
        private static readonly string[] Poses =
        {
            "mouthClose .05 mouthPressS .5 mouthRollLower .25 mouthRollUpper .25",
            "mouthRollLower .55 mouthUpperUpS .25 jawOpen .05",
            "jawOpen .15 tongueOut .35 mouthUpperUpS .1",
            "jawOpen .12 mouthUpperUpS .15 mouthLowerDownS .2",
            "jawOpen .2 mouthStretchS .15 mouthLowerDownS .1",
            "mouthFunnel .5 jawOpen .1 mouthPucker .15 mouthUpperUpS .1",
            "mouthStretchS .3 mouthLowerDownS .25 mouthUpperUpS .1 jawOpen .04",
            "jawOpen .1 mouthUpperUpS .1 mouthLowerDownS .08",
            "mouthFunnel .3 mouthPucker .25 jawOpen .1",
            "jawOpen .65 mouthLowerDownS .2",
            "jawOpen .3 mouthSmileS .2 mouthStretchS .2 mouthLowerDownS .2",
            "jawOpen .18 mouthSmileS .35 mouthStretchS .15",
            "jawOpen .4 mouthFunnel .55",
            "jawOpen .12 mouthPucker .7 mouthFunnel .2",
        };

        private readonly float[] _basis = new float[Spoken * ArkitCurves.Count];
        private readonly double[] _gram = new double[Spoken * Spoken];
        private readonly double[] _wanted = new double[Spoken];
        private readonly double[] _found = new double[Spoken];
        private readonly double[] _best = new double[Spoken];
        private readonly bool[] _isFree = new bool[Spoken];
        private readonly double[] _system = new double[Spoken * (Spoken + 1)];
        private readonly int[] _unknowns = new int[Spoken];

        /// <summary>A solver for one face.</summary>
        public VisemeSolver()
        {
            for (int i = 0; i < Spoken; i++)
            {
                string[] words = Poses[i].Split(' ');
                for (int word = 0; word < words.Length; word += 2)
                {
                    Set(i, words[word], ParseWeight(words[word + 1]));
                }
            }
            for (int i = 0; i < Spoken; i++)
            {
                for (int j = 0; j < Spoken; j++)
                {
                    _gram[(i * Spoken) + j] = Dot(PoseOf(i), PoseOf(j));
                }
            }
        }

        /// <summary>The pose of a viseme by its index, as 52 weights.</summary>
        public ReadOnlySpan<float> Pose(int viseme)
        {
            return PoseOf(viseme - 1);
        }

        /// <summary>Visemes of 52 ARKit weights, 15 numbers that sum up to 1.</summary>
        public void Solve(ReadOnlySpan<float> weights, Span<float> visemes)
        {
            for (int i = 0; i < Spoken; i++)
            {
                _wanted[i] = Dot(PoseOf(i), weights);
                _found[i] = 0;
                _isFree[i] = false;
            }
            for (int round = 0; round < MostRounds && FreeOne(); round++)
            {
                while (!Improve())
                {
                }
            }
            double sum = 0;
            foreach (double value in _found)
            {
                sum += value;
            }
            visemes[0] = (float)Math.Max(0, 1 - sum);
            for (int i = 0; i < Spoken; i++)
            {
                visemes[i + 1] = (float)(_found[i] / Math.Max(1, sum));
            }
        }

        /// <summary>Let the pose rise that would help most; false where none helps.</summary>
        private bool FreeOne()
        {
            int best = -1;
            double strongest = Tolerance;
            for (int i = 0; i < Spoken; i++)
            {
                double pull = _wanted[i];
                for (int j = 0; j < Spoken; j++)
                {
                    pull -= _gram[(i * Spoken) + j] * _found[j];
                }
                if (!_isFree[i] && pull > strongest)
                {
                    strongest = pull;
                    best = i;
                }
            }
            if (best >= 0)
            {
                _isFree[best] = true;
            }
            return best >= 0;
        }

        /// <summary>Go towards the minimum over the free poses; false where one of them met zero on the way.</summary>
        private bool Improve()
        {
            SolveFree();
            double share = 1;
            for (int i = 0; i < Spoken; i++)
            {
                if (_isFree[i] && _best[i] <= 0)
                {
                    share = Math.Min(share, _found[i] / Math.Max(_found[i] - _best[i], 1e-30));
                }
            }
            bool isWhole = true;
            for (int i = 0; i < Spoken; i++)
            {
                if (!_isFree[i])
                {
                    continue;
                }
                bool isLow = _best[i] <= 0;
                isWhole &= !isLow;
                if (isLow && _found[i] / Math.Max(_found[i] - _best[i], 1e-30) <= share)
                {
                    _isFree[i] = false;
                    _found[i] = 0;
                    continue;
                }
                _found[i] += share * (_best[i] - _found[i]);
            }
            return isWhole;
        }

        /// <summary>The minimum over the free poses, by elimination; the normal matrix is positive definite.</summary>
        private void SolveFree()
        {
            int count = 0;
            for (int i = 0; i < Spoken; i++)
            {
                _best[i] = 0;
                if (_isFree[i])
                {
                    _unknowns[count++] = i;
                }
            }
            int width = count + 1;
            for (int i = 0; i < count; i++)
            {
                for (int j = 0; j < count; j++)
                {
                    _system[(i * width) + j] = _gram[(_unknowns[i] * Spoken) + _unknowns[j]];
                }
                _system[(i * width) + count] = _wanted[_unknowns[i]];
            }
            for (int i = 0; i < count; i++)
            {
                for (int row = i + 1; row < count; row++)
                {
                    double factor = _system[(row * width) + i] / _system[(i * width) + i];
                    for (int j = i; j < width; j++)
                    {
                        _system[(row * width) + j] -= factor * _system[(i * width) + j];
                    }
                }
            }
            for (int i = count - 1; i >= 0; i--)
            {
                double value = _system[(i * width) + count];
                for (int j = i + 1; j < count; j++)
                {
                    value -= _system[(i * width) + j] * _best[_unknowns[j]];
                }
                _best[_unknowns[i]] = value / _system[(i * width) + i];
            }
        }

        private void Set(int pose, string shape, float weight)
        {
            if (!shape.EndsWith("S", StringComparison.Ordinal))
            {
                _basis[(pose * ArkitCurves.Count) + ArkitCurves.IndexOf(shape)] = weight;
                return;
            }
            string both = shape.Substring(0, shape.Length - 1);
            _basis[(pose * ArkitCurves.Count) + ArkitCurves.IndexOf(both + "Left")] = weight;
            _basis[(pose * ArkitCurves.Count) + ArkitCurves.IndexOf(both + "Right")] = weight;
        }

        private static float ParseWeight(string hundredths)
        {
            // ".5" and ".05"; a game's culture may write numbers otherwise
            return int.Parse(hundredths.Substring(1).PadRight(2, '0')) / 100f;
        }

        private ReadOnlySpan<float> PoseOf(int spoken)
        {
            return new ReadOnlySpan<float>(_basis, spoken * ArkitCurves.Count, ArkitCurves.Count);
        }

        private static double Dot(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
        {
            double sum = 0;
            for (int i = 0; i < one.Length; i++)
            {
                sum += (double)one[i] * other[i];
            }
            return sum;
        }
    }
}
