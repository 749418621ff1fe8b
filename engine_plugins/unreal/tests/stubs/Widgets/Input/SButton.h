#pragma once

#include "Stub/Slate.h"

class SButton : public SWidget
{
};
