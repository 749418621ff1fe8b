#include "allocations.h"

#include <cstdlib>
#include <new>

namespace facestream::tests {
namespace {
thread_local size_t allocation_count = 0;
}
size_t AllocationCount() { return allocation_count; }
}  // namespace facestream::tests

namespace {

void* Counted(void* memory) {
  ++facestream::tests::allocation_count;
  if (memory == nullptr) std::abort();
  return memory;
}

size_t Whole(size_t size, std::align_val_t alignment) {
  const size_t step = static_cast<size_t>(alignment);
  return (size + step - 1) / step * step;
}

}  // namespace

void* operator new(size_t size) { return Counted(std::malloc(size > 0 ? size : 1)); }
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return operator new(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return operator new(size); }
void* operator new(size_t size, std::align_val_t alignment) {
  return Counted(std::aligned_alloc(static_cast<size_t>(alignment), Whole(size, alignment)));
}
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return operator new(size, alignment);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept { std::free(memory); }
