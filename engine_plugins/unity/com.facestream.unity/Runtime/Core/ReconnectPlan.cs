using System;

namespace Facestream
{
    /// <summary>Whether and when a broken stream is continued on a new call.</summary>
    internal sealed class ReconnectPlan
    {
        private const double GiveUpAfterSeconds = 10;
        private const double FirstDelaySeconds = 0.05;
        private const double LongestDelaySeconds = 1;
        private const int BarrenCalls = 3;

        private readonly bool _isWanted;
        private double _nextTry = double.NegativeInfinity;
        private double _giveUpAt;
        private double _delay;
        private int _barren;
        private bool _hasNotice;

        internal ReconnectPlan(bool isWanted)
        {
            _isWanted = isWanted;
        }

        internal bool IsDue(double now)
        {
            return now >= _nextTry;
        }

        /// <summary>The server has said that it will end the call.</summary>
        internal void ServerWillEnd()
        {
            _hasNotice = true;
        }

        /// <summary>A new call was accepted; it has yet to bring a frame.</summary>
        internal void Resumed()
        {
            _barren++;
        }

        /// <summary>New frames came.</summary>
        internal void Succeeded()
        {
            _barren = 0;
            _delay = 0;
        }

        /// <summary>Plan the next call after this failure; false where that is no use.</summary>
        internal bool TryAgain(FacestreamException failure, double now)
        {
            bool isPassing = failure.Kind == FailureKind.Busy || failure.Kind == FailureKind.Unavailable
                || failure.Kind == FailureKind.Engine || (failure.Kind == FailureKind.TimeLimit && _hasNotice);
            if (_delay == 0)
            {
                _giveUpAt = now + GiveUpAfterSeconds;
                _delay = FirstDelaySeconds;
            }
            else
            {
                _delay = Math.Min(2 * _delay, LongestDelaySeconds);
            }
            if (!_isWanted || !isPassing || _barren >= BarrenCalls || now + _delay > _giveUpAt)
            {
                return false;
            }
            _nextTry = now + _delay;
            return true;
        }
    }
}
