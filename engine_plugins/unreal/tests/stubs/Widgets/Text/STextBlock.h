#pragma once

#include "Stub/Slate.h"

class STextBlock : public SWidget
{
};
