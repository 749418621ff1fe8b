using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Facestream.ForeignTypes
{
    /// <summary>
    /// Prints the types that an assembly uses and that are neither its own, nor of the named ones, nor of .NET Standard.
    /// </summary>
    public static class Program
    {
        public static int Main(string[] arguments)
        {
            var known = new HashSet<string>();
            using (var file = new PEReader(File.OpenRead(arguments[0])))
            {
                MetadataReader standard = file.GetMetadataReader();
                foreach (ExportedTypeHandle handle in standard.ExportedTypes)
                {
                    ExportedType type = standard.GetExportedType(handle);
                    known.Add(standard.GetString(type.Namespace) + "." + standard.GetString(type.Name));
                }
            }
            using (var file = new PEReader(File.OpenRead(arguments[1])))
            {
                MetadataReader used = file.GetMetadataReader();
                foreach (TypeReferenceHandle handle in used.TypeReferences)
                {
                    TypeReference type = used.GetTypeReference(handle);
                    string name = used.GetString(type.Namespace) + "." + used.GetString(type.Name);
                    bool isOfAssembly = type.ResolutionScope.Kind == HandleKind.AssemblyReference;
                    if (isOfAssembly && !known.Contains(name))
                    {
                        Console.WriteLine(name);
                    }
                }
            }
            return 0;
        }
    }
}
