namespace Facestream
{
    /// <summary>Version of this package, as in package.json; a test holds them together.</summary>
    public static class PackageVersion
    {
        /// <summary>Major, minor, patch.</summary>
        public const string Text = "0.1.0";
    }
}
