# Programs that were built without sanitizers need the sanitizers' runtime before anything else is loaded, when they load
# the module: preload is its path, or empty. ThreadSanitizer's cannot be loaded so.
set(preload "")
if(PINWARD_SANITIZE MATCHES "address")
  set(runtime libasan.so)
  if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    set(runtime libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so)
  endif()
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=${runtime} OUTPUT_VARIABLE preload
      OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
