add_library(eos_warnings INTERFACE)
target_compile_definitions(eos_warnings INTERFACE _GNU_SOURCE)
target_compile_options(eos_warnings INTERFACE
    -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wvla
    -Wstrict-prototypes -Wmissing-prototypes -Wformat=2
    -fstack-protector-strong -fno-omit-frame-pointer
    -include ${CMAKE_SOURCE_DIR}/common/base/banned.h)
# Asserts are for our own mistakes and stay on in production.
foreach(config RELEASE RELWITHDEBINFO MINSIZEREL)
    string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${config} "${CMAKE_C_FLAGS_${config}}")
endforeach()
if(EOS_SANITIZE)
    target_compile_options(eos_warnings INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined)
    target_link_options(eos_warnings INTERFACE -fsanitize=address,undefined)
endif()
if(EOS_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link,address,undefined)
    add_link_options(-fsanitize=address,undefined)
endif()
