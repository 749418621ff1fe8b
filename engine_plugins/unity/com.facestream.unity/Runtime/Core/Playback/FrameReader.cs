using System;
using System.Collections.Generic;
using Facestream.Wire;

namespace Facestream
{
    /// <summary>Rows in canonical order out of the runs of one stream, whatever the order of its curves.</summary>
    internal sealed class FrameReader
    {
        private readonly int[] _columns;

        /// <summary>For a stream with these curves; raises <see cref="FailureKind.Protocol"/> where they are not the 52.</summary>
        internal FrameReader(string[] curveNames)
        {
            _columns = new int[curveNames.Length];
            var missing = new List<string>(ArkitCurves.Names);
            for (int i = 0; i < curveNames.Length; i++)
            {
                _columns[i] = ArkitCurves.IndexOf(curveNames[i]);
                if (!missing.Remove(curveNames[i]))
                {
                    throw FacestreamException.Protocol(
                        $"the server's curve {i} is '{curveNames[i]}', which is unknown or comes twice; this plugin knows "
                        + "the 52 curves of ARKit: use a server and a plugin of the same version");
                }
            }
            if (missing.Count > 0)
            {
                throw FacestreamException.Protocol(
                    $"the server sends {curveNames.Length} curves and not '{missing[0]}'; this plugin needs the 52 curves of "
                    + "ARKit: use a server and a plugin of the same version");
            }
        }

        /// <summary>Raises <see cref="FailureKind.Protocol"/> for a run whose parts do not fit each other.</summary>
        internal void Check(in FrameRun run)
        {
            bool hasPose = run.Head.Length > 0;
            int rotation = hasPose ? 16 * run.Count : 0;
            bool isWhole = run.Count > 0 && run.First >= 0 && run.Weights.Length == 4 * run.Count * _columns.Length
                && run.Head.Length == rotation && run.LeftEye.Length == rotation && run.RightEye.Length == rotation;
            if (!isWhole)
            {
                throw FacestreamException.Protocol(
                    $"the server sent {run.Weights.Length / 4} weights for {run.Count} frames of {_columns.Length} curves; "
                    + "use a server and a plugin of the same version");
            }
        }

        /// <summary>Row <paramref name="frame"/> of a run that was checked.</summary>
        internal void Read(in FrameRun run, int frame, Span<float> row)
        {
            FrameRow.Rest(row);
            for (int i = 0; i < _columns.Length; i++)
            {
                row[_columns[i]] = ProtoReader.SingleAt(run.Weights, (frame * _columns.Length) + i);
            }
            if (run.Head.Length == 0)
            {
                return;
            }
            for (int i = 0; i < 4; i++)
            {
                row[FrameRow.Weights + i] = ProtoReader.SingleAt(run.Head, (4 * frame) + i);
                row[FrameRow.Weights + 4 + i] = ProtoReader.SingleAt(run.LeftEye, (4 * frame) + i);
                row[FrameRow.Weights + 8 + i] = ProtoReader.SingleAt(run.RightEye, (4 * frame) + i);
            }
        }
    }
}
