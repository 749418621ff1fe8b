// Counts what this program allocates, by operators new of its own.
#pragma once

#include <cstddef>

namespace facestream::tests {

// Calls of operator new by this thread so far.
size_t AllocationCount();

}  // namespace facestream::tests
