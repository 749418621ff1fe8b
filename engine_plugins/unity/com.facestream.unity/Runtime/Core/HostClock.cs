using System;
using System.Diagnostics;

namespace Facestream
{
    /// <summary>The clock of this machine that sessions and audio clocks share, in seconds from any beginning.</summary>
    public static class HostClock
    {
        /// <summary>Where the time comes from; a test sets its own.</summary>
        public static Func<double> Source { get; set; } = SinceStart;

        /// <summary>Now.</summary>
        public static double Now => Source();

        private static double SinceStart()
        {
            return Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
        }
    }
}
