using System;
using System.Linq;
using System.Reflection;
using NUnit.Framework;

namespace Facestream.Runner
{
    /// <summary>
    /// Runs the tests of an assembly as NUnit would: [SetUp], [Test], [TestCase], a new object for each. Unity's own runner
    /// runs the same files.
    /// </summary>
    public static class Runner
    {
        public static int Main(string[] arguments)
        {
            int passed = 0;
            int failed = 0;
            foreach (Type type in Assembly.LoadFrom(arguments[0]).GetTypes().Where(type => type.IsPublic))
            {
                foreach (MethodInfo method in type.GetMethods())
                {
                    var cases = method.GetCustomAttributes<TestCaseAttribute>().Select(one => one.Arguments).ToList();
                    if (method.GetCustomAttribute<TestAttribute>() != null)
                    {
                        cases.Add(Array.Empty<object>());
                    }
                    foreach (object[] values in cases)
                    {
                        if (Passes(type, method, values))
                        {
                            passed++;
                        }
                        else
                        {
                            failed++;
                        }
                    }
                }
            }
            Console.WriteLine($"{passed} passed, {failed} failed");
            return failed == 0 ? 0 : 1;
        }

        private static bool Passes(Type type, MethodInfo method, object[] values)
        {
            object fixture = Activator.CreateInstance(type);
            try
            {
                foreach (MethodInfo other in type.GetMethods())
                {
                    if (other.GetCustomAttribute<SetUpAttribute>() != null)
                    {
                        other.Invoke(fixture, null);
                    }
                }
                method.Invoke(fixture, values);
                return true;
            }
            catch (TargetInvocationException error)
            {
                Console.WriteLine($"{type.Name}.{method.Name}({string.Join(", ", values)}): {error.InnerException}");
                return false;
            }
        }
    }
}
