# A service is a pure core and a thin shell around it.  The core may use common_base, generated
# protobuf types and libraries that only compute (CORE_LIBRARIES): its unit tests link it without
# libuv or nanomsg, so I/O in a core does not link.  Makes the libraries <name>_core and <name>_shell
# and the program eos-<name> from <folder>/main.c.
function(add_service name)
    cmake_parse_arguments(ARG "" "FOLDER" "CORE;SHELL;CORE_LIBRARIES;SHELL_LIBRARIES" ${ARGN})
    if(NOT ARG_FOLDER)
        set(ARG_FOLDER ${name})
    endif()
    add_library(${name}_core STATIC ${ARG_CORE})
    target_include_directories(${name}_core PUBLIC ${CMAKE_SOURCE_DIR}/services)
    target_link_libraries(${name}_core PUBLIC common_base proto ${ARG_CORE_LIBRARIES} PRIVATE eos_warnings)

    add_library(${name}_shell STATIC ${ARG_SHELL})
    target_link_libraries(${name}_shell PUBLIC ${name}_core common_io ${ARG_SHELL_LIBRARIES} PRIVATE eos_warnings)

    add_executable(eos-${name} ${ARG_FOLDER}/main.c)
    target_link_libraries(eos-${name} PRIVATE ${name}_shell eos_warnings)
    set_target_properties(eos-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    install(TARGETS eos-${name} RUNTIME DESTINATION bin)
endfunction()
