using System;
using System.Collections.Generic;
using System.Linq;
using NUnit.Framework;

namespace Facestream.Tests
{
    /// <summary>What a mesh shows of a face.</summary>
    public sealed class FaceTests
    {
        [TestCase("{0}")]
        [TestCase("blendShape1.{0}")]
        [TestCase("Face.M_Head.{0}")]
        [TestCase("ARKit_{0}")]
        [TestCase("head_{0}_geo")]
        public void All52AreFoundWhateverStandsAroundThem(string form)
        {
            foreach (Func<string, string> spelling in Spellings())
            {
                var shapes = new List<string> { string.Format(form, "Basis") };
                shapes.AddRange(ArkitCurves.Names.Select(name => string.Format(form, spelling(name))));
                ShapeMatcher match = ShapeMatcher.Match(shapes);
                Assert.That(match.MatchedArkit, Is.EqualTo(52), $"{shapes[1]}: {match.Missing(0, 52)}");
                Assert.That(Enumerable.Range(0, 52).All(i => match.Shapes[i] == i + 1), shapes[1]);
            }
        }

        [TestCase("viseme_{0}")]
        [TestCase("vrc.v_{0}")]
        public void VisemesAreFound(string form)
        {
            string[] shapes = VisemeSolver.Names.Select(name => string.Format(form, name.ToLowerInvariant())).ToArray();
            ShapeMatcher match = ShapeMatcher.Match(shapes);
            Assert.That(match.CountIn(ExpressionSet.FirstViseme, VisemeSolver.Count), Is.EqualTo(15));
            Assert.That(match.MatchedArkit, Is.EqualTo(0));
        }

        [TestCase("A,I,U,E,O,Blink,Blink_L,Blink_R", 8)]
        [TestCase("aa,ih,ou,ee,oh,blink,blinkLeft,blinkRight", 8)]
        [TestCase("Face.M_F00.Fcl_MTH_A,Face.M_F00.Fcl_MTH_I,Fcl_MTH_U,Fcl_MTH_E,Fcl_MTH_O,Fcl_EYE_Close_L", 6)]
        [TestCase("Smile,Smirk,Key 3", 0)]
        public void VowelsOfVrmAreFound(string shapes, int expected)
        {
            ShapeMatcher match = ShapeMatcher.Match(shapes.Split(','));
            Assert.That(match.CountIn(ExpressionSet.FirstVowel, 8), Is.EqualTo(expected));
        }

        [Test]
        public void TheUsersOwnTableHasTheLastWord()
        {
            string[] shapes = { "jawOpen", "MouthOpenWide" };
            var own = new Dictionary<string, string> { ["jawOpen"] = "MouthOpenWide" };
            Assert.That(ShapeMatcher.Match(shapes, own).Shapes[ArkitCurves.IndexOf("jawOpen")], Is.EqualTo(1));
            own["jawOpen"] = "";
            Assert.That(ShapeMatcher.Match(shapes, own).MatchedArkit, Is.EqualTo(0));
            own["jawOpen"] = "nothing";
            Assert.That(() => ShapeMatcher.Match(shapes, own), Throws.InstanceOf<FacestreamException>());
        }

        [Test]
        public void EachPoseIsItsOwnViseme()
        {
            var solver = new VisemeSolver();
            var visemes = new float[VisemeSolver.Count];
            for (int viseme = 1; viseme < VisemeSolver.Count; viseme++)
            {
                solver.Solve(solver.Pose(viseme), visemes);
                for (int i = 0; i < visemes.Length; i++)
                {
                    float expected = i == viseme ? 1 : 0;
                    Assert.That(visemes[i], Is.EqualTo(expected).Within(0.15), VisemeSolver.Names[viseme]);
                }
            }
            solver.Solve(new float[ArkitCurves.Count], visemes);
            Assert.That(visemes[0], Is.EqualTo(1).Within(0.15), "silence");
        }

        [Test]
        public void BytesOfAudioAreRoundedAndCut()
        {
            var bytes = new byte[12];
            Pcm16.Encode(new[] { 0f, 1f, -1f, 0.5f, float.NaN, 9f }, bytes);
            short[] samples = Enumerable.Range(0, 6).Select(i => BitConverter.ToInt16(bytes, 2 * i)).ToArray();
            Assert.That(samples, Is.EqualTo(new short[] { 0, 32767, -32768, 16384, 0, 32767 }));
        }

        private static IEnumerable<Func<string, string>> Spellings()
        {
            yield return name => name;
            yield return name => char.ToUpperInvariant(name[0]) + name.Substring(1);
            yield return name => name.ToUpperInvariant();
            yield return name => Sided(name, "_L", "_R");
            yield return name => string.Concat(name.Select(c => char.IsUpper(c) ? "_" + char.ToLowerInvariant(c) : c.ToString()));
        }

        private static string Sided(string name, string left, string right)
        {
            if (name == "jawLeft" || name == "jawRight" || name == "mouthLeft" || name == "mouthRight")
            {
                return name;
            }
            return name.EndsWith("Left") ? name.Substring(0, name.Length - 4) + left
                : name.EndsWith("Right") ? name.Substring(0, name.Length - 5) + right
                : name;
        }
    }
}
