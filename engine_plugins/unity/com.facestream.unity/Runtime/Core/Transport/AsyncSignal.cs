using System;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;

namespace Facestream
{
    /// <summary>
    /// Lets one waiter go on, now or when it comes to wait; made once, awaited without an allocation. The waiter goes on
    /// in the thread that sets it, so that a message is on its way before <see cref="Set"/> returns.
    /// </summary>
    internal sealed class AsyncSignal : IValueTaskSource
    {
        private readonly object _gate = new object();
        private ManualResetValueTaskSourceCore<bool> _core;
        private bool _isSet;
        private bool _isAwaited;

        internal void Set()
        {
            lock (_gate)
            {
                if (!_isAwaited)
                {
                    _isSet = true;
                    return;
                }
                _isAwaited = false;
            }
            _core.SetResult(true);
        }

        internal ValueTask WaitAsync()
        {
            lock (_gate)
            {
                if (_isSet)
                {
                    _isSet = false;
                    return default;
                }
                _core.Reset();
                _isAwaited = true;
                return new ValueTask(this, _core.Version);
            }
        }

        void IValueTaskSource.GetResult(short token)
        {
            _core.GetResult(token);
        }

        ValueTaskSourceStatus IValueTaskSource.GetStatus(short token)
        {
            return _core.GetStatus(token);
        }

        void IValueTaskSource.OnCompleted(
            Action<object> continuation, object state, short token, ValueTaskSourceOnCompletedFlags flags)
        {
            _core.OnCompleted(continuation, state, token, flags);
        }
    }
}
