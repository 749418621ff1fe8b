#pragma once

#include "Stub/Slate.h"

class SVerticalBox : public SWidget
{
public:
	struct FSlot
	{
		std::shared_ptr<SWidget> Content;
		FSlot& AutoHeight() { return *this; }
		template <typename T>
		FSlot& operator[](const FStubWidget<T>& Child) { Content = Child.Widget; return *this; }
	};
	static FSlot Slot() { return {}; }
};
