using System;
using System.Globalization;
using System.Text;

namespace Facestream.Wire
{
    /// <summary>
    /// A <c>google.rpc.Status</c> in JSON, as a WebSocket ends with it. Only what is needed of it is looked for.
    /// </summary>
    public static class StatusJson
    {
        /// <summary>The failure that the text stands for.</summary>
        public static FacestreamException FailureOf(string server, string json)
        {
            int.TryParse(NumberOf(json, "code"), NumberStyles.None, CultureInfo.InvariantCulture, out int code);
            string delay = TextOf(json, "retryDelay").TrimEnd('s');
            double.TryParse(delay, NumberStyles.Float, CultureInfo.InvariantCulture, out double retryAfter);
            return Statuses.FailureOf(server, code, TextOf(json, "message"), TextOf(json, "reason"), retryAfter);
        }

        private static string NumberOf(string json, string key)
        {
            int start = ValueOf(json, key);
            int end = start;
            while (end < json.Length && char.IsDigit(json[end]))
            {
                end++;
            }
            return json.Substring(start, end - start);
        }

        private static string TextOf(string json, string key)
        {
            int at = ValueOf(json, key);
            if (at >= json.Length || json[at] != '"')
            {
                return "";
            }
            var text = new StringBuilder();
            for (at++; at < json.Length && json[at] != '"'; at++)
            {
                if (json[at] != '\\' || at + 1 == json.Length)
                {
                    text.Append(json[at]);
                    continue;
                }
                at++;
                if (json[at] == 'u' && at + 4 < json.Length)
                {
                    string digits = json.Substring(at + 1, 4);
                    int.TryParse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int unit);
                    text.Append((char)unit);
                    at += 4;
                }
                else
                {
                    text.Append(json[at] == 'n' ? '\n' : json[at] == 't' ? '\t' : json[at]);
                }
            }
            return text.ToString();
        }

        /// <summary>Where the value of the first such key begins; the end of the text where there is none.</summary>
        private static int ValueOf(string json, string key)
        {
            int at = json.IndexOf("\"" + key + "\"", StringComparison.Ordinal);
            if (at < 0)
            {
                return json.Length;
            }
            at += key.Length + 2;
            while (at < json.Length && (json[at] == ':' || char.IsWhiteSpace(json[at])))
            {
                at++;
            }
            return at;
        }
    }
}
