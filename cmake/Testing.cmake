# unit_test(base/slice common_base) builds tests/unit/base/test_slice.c and registers unit/base/slice.
function(unit_test name)
    string(REPLACE "/" "_" target test_${name})
    get_filename_component(folder ${name} DIRECTORY)
    get_filename_component(file ${name} NAME)
    add_executable(${target} ${CMAKE_SOURCE_DIR}/tests/unit/${folder}/test_${file}.c)
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_link_libraries(${target} PRIVATE ${ARGN} PkgConfig::CMOCKA eos_warnings)
    add_test(NAME unit/${name} COMMAND ${target})
    set_tests_properties(unit/${name} PROPERTIES TIMEOUT 60)
endfunction()

# A script that drives the built programs; it finds them in $EOS_BIN and may use 10 minutes.
function(script_test name script)
    add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${script})
    set_tests_properties(${name} PROPERTIES TIMEOUT 600
        ENVIRONMENT "EOS_BIN=${CMAKE_BINARY_DIR}/bin;EOS_SOURCE=${CMAKE_SOURCE_DIR}")
endfunction()

# fuzz_target(json gateway_core) builds tests/fuzz/fuzz_json.c; seeds stand in tests/fuzz/seeds/json.
function(fuzz_target name)
    if(NOT EOS_FUZZ)
        return()
    endif()
    add_executable(fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_${name}.c)
    target_link_libraries(fuzz_${name} PRIVATE ${ARGN} eos_warnings)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
