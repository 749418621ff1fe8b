using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Facestream.Program
{
    /// <summary>What happened, as JSON.</summary>
    internal sealed class Report
    {
        private readonly List<string> _fields = new List<string>();
        private readonly List<string> _events = new List<string>();

        internal void Add(string name, string value)
        {
            string escaped = value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", " ").Replace("\r", " ");
            _fields.Add($"\"{name}\": \"{escaped}\"");
        }

        internal void Add(string name, double value)
        {
            _fields.Add($"\"{name}\": {value.ToString("R", CultureInfo.InvariantCulture)}");
        }

        internal void Add(string name, IEnumerable<double> values)
        {
            var text = new StringBuilder();
            foreach (double value in values)
            {
                text.Append(text.Length > 0 ? ", " : "").Append(value.ToString("F6", CultureInfo.InvariantCulture));
            }
            _fields.Add($"\"{name}\": [{text}]");
        }

        internal void Event(StreamEvent what)
        {
            _events.Add($"[\"{what.Kind}\", {what.First}, {what.Count}]");
        }

        public override string ToString()
        {
            return "{" + string.Join(", ", _fields) + ", \"events\": [" + string.Join(", ", _events) + "]}";
        }
    }
}
