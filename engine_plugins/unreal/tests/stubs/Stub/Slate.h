#pragma once

// Widgets that keep what they were given, for the driver to press and read.
#include "Input/Reply.h"
#include "Stub/Containers.h"

class SWidget
{
public:
	virtual ~SWidget() = default;
	std::vector<std::shared_ptr<SWidget>> Children;
	std::function<FReply()> Press;
	std::function<FText()> Read;
};
template <typename T>
struct FStubWidget
{
	std::shared_ptr<SWidget> Widget = std::make_shared<T>();

	FStubWidget& Text(const FText& Text) { Widget->Read = [Text] { return Text; }; return *this; }
	FStubWidget& AutoWrapText(bool) { return *this; }
	template <typename F>
	FStubWidget& Text_Lambda(F Function) { Widget->Read = Function; return *this; }
	template <typename C>
	FStubWidget& OnClicked(C* Object, FReply (C::*Function)()) { Widget->Press = [=] { return (Object->*Function)(); }; return *this; }
	template <typename Slot>
	FStubWidget& operator+(const Slot& Added) { Widget->Children.push_back(Added.Content); return *this; }
};
#define SNew(Type) FStubWidget<Type>()
