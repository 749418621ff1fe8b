using System;
using System.Globalization;

namespace Facestream.Program
{
    /// <summary>Core as a program of .NET: what a game does, without a game.</summary>
    public static class Program
    {
        public static int Main(string[] arguments)
        {
            CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
            var command = new CommandLine(arguments);
            switch (command.Verb)
            {
                case "stream":
                    return StreamCommand.Run(command);
                case "play":
                    return PlayCommand.Run(command);
                case "allocations":
                    return AllocationsCommand.Run(command);
                case "conform":
                    return ConformCommand.Run(arguments[1], arguments[2]);
                default:
                    Console.Error.WriteLine("stream, play, allocations or conform");
                    return 2;
            }
        }
    }
}
