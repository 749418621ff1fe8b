#pragma once

#include "Stub/Slate.h"

class FDetailWidgetRow
{
public:
	FDetailWidgetRow& WholeRowContent() { return *this; }
	template <typename T>
	FDetailWidgetRow& operator[](const FStubWidget<T>& Child) { Content = Child.Widget; return *this; }
	std::shared_ptr<SWidget> Content;
};
