using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;

namespace Facestream.Program
{
    /// <summary>What came of a case.</summary>
    internal sealed class ConformOutcome
    {
        internal volatile bool WasCancelled;

        internal FacestreamException Failure { get; set; }

        internal List<(long Index, float[] Row)> Frames { get; } = new List<(long Index, float[] Row)>();

        internal List<StreamEvent> Events { get; } = new List<StreamEvent>();

        internal int Resumes { get; set; }

        internal long LatencySamples { get; set; }

        internal List<(int Position, Face Face)> Drawn { get; } = new List<(int Position, Face Face)>();
    }

    /// <summary>The report of a run; engine_plugins/conformance/README.md tells its form.</summary>
    internal static class ConformReport
    {
        internal static void Write(string path, List<ConformCase> cases, List<ConformOutcome> outcomes)
        {
            using (FileStream file = File.Create(path))
            using (var json = new Utf8JsonWriter(file))
            {
                json.WriteStartObject();
                json.WriteString("client", "unity");
                json.WriteString("transport", cases[0].TransportName);
                json.WriteStartObject("cases");
                for (int i = 0; i < cases.Count; i++)
                {
                    json.WriteStartObject(cases[i].Name);
                    Outcome(json, cases[i], outcomes[i]);
                    json.WriteEndObject();
                }
                json.WriteEndObject();
                json.WriteEndObject();
            }
        }

        private static void Outcome(Utf8JsonWriter json, ConformCase one, ConformOutcome outcome)
        {
            json.WriteString("status", outcome.WasCancelled ? "cancelled" : outcome.Failure != null ? "failed" : "finished");
            json.WriteString("failure", outcome.Failure == null ? "" : Word(outcome.Failure.Kind));
            json.WriteString("message", outcome.Failure?.Message ?? "");
            json.WriteNumber("latency_samples", outcome.LatencySamples);
            json.WriteNumber("resumes", outcome.Resumes);
            json.WriteNumber("lost_samples", 0);
            json.WriteStartArray("curve_names");
            foreach (string name in ArkitCurves.Names)
            {
                json.WriteStringValue(name);
            }
            json.WriteEndArray();
            json.WriteStartArray("events");
            foreach (StreamEvent what in outcome.Events)
            {
                Event(json, what);
            }
            json.WriteEndArray();
            json.WriteStartArray("frames");
            FrameClock clock = one.Options().Clock;
            foreach ((long index, float[] row) in outcome.Frames)
            {
                Numbers(json, index, clock.SampleOf(index), row);
            }
            json.WriteEndArray();
            json.WriteStartArray("drawn");
            foreach ((int position, Face face) in outcome.Drawn)
            {
                Numbers(json, position, face.IsStarved ? 1 : 0, face.Weights, face.Rotations);
            }
            json.WriteEndArray();
        }

        private static void Event(Utf8JsonWriter json, StreamEvent what)
        {
            (string kind, long first, long count) = what.Kind switch
            {
                StreamEventKind.Gap => ("gap", what.First, what.Count),
                StreamEventKind.FramesDropped => ("frames_dropped", what.First, what.Count),
                StreamEventKind.SpeechStarted => ("speech_started", what.First, 0),
                StreamEventKind.SpeechEnded => ("speech_ended", what.First, 0),
                StreamEventKind.AheadOfRealTime => ("ahead_of_real_time", 0, what.Count),
                StreamEventKind.GoingAway => ("going_away", 0, 0),
                _ => ("unknown", what.First, what.Count),
            };
            json.WriteStartArray();
            json.WriteStringValue(kind);
            json.WriteNumberValue(first);
            json.WriteNumberValue(count);
            json.WriteEndArray();
        }

        private static void Numbers(Utf8JsonWriter json, long first, long second, params float[][] rows)
        {
            json.WriteStartArray();
            json.WriteNumberValue(first);
            json.WriteNumberValue(second);
            foreach (float[] row in rows)
            {
                foreach (float value in row)
                {
                    json.WriteNumberValue(value);
                }
            }
            json.WriteEndArray();
        }

        private static string Word(FailureKind kind)
        {
            switch (kind)
            {
                case FailureKind.InvalidValue:
                case FailureKind.NotFound:
                    return "options";
                case FailureKind.Denied:
                    return "denied";
                case FailureKind.Busy:
                case FailureKind.Unavailable:
                    return "unavailable";
                case FailureKind.Insecure:
                    return "tls";
                case FailureKind.TimeLimit:
                    return "time_limit";
                case FailureKind.Protocol:
                    return "protocol";
                default:
                    return "server";
            }
        }
    }
}
