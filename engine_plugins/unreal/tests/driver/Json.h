// Reports, written as they come.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

inline std::string Json(const std::string& Text)
{
	std::string Made = "\"";
	for (const char Letter : Text)
	{
		char Escape[8];
		if (Letter == '"' || Letter == '\\')
		{
			Made += {'\\', Letter};
		}
		else if (static_cast<unsigned char>(Letter) < 0x20)
		{
			std::snprintf(Escape, sizeof Escape, "\\u%04x", Letter);
			Made += Escape;
		}
		else
		{
			Made += Letter;
		}
	}
	return Made + "\"";
}
inline std::string Json(double Number)
{
	char Text[32];
	std::snprintf(Text, sizeof Text, "%.17g", Number);
	return Text;
}
inline std::string Json(float Number)
{
	char Text[32];
	std::snprintf(Text, sizeof Text, "%.9g", static_cast<double>(Number));
	return Text;
}
inline std::string Json(long long Number) { return std::to_string(Number); }
inline std::string Json(int Number) { return std::to_string(Number); }
inline std::string Json(bool Is) { return Is ? "true" : "false"; }

template <typename Items, typename Put>
std::string JsonList(const Items& All, const Put& PutOne)
{
	std::string Made = "[";
	for (const auto& One : All)
	{
		Made += (Made.size() > 1 ? ",\n" : "") + PutOne(One);
	}
	return Made + "]";
}
template <typename Item>
std::string JsonList(const std::vector<Item>& All)
{
	std::string Made = "[";
	for (const Item& One : All)
	{
		Made += (Made.size() > 1 ? ", " : "") + Json(One);
	}
	return Made + "]";
}
