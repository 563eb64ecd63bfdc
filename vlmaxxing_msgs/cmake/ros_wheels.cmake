# Lets CMake build this package against the ROS 2 wheels instead of /opt/ros.  Read before the
# first project() call: by `pip install` (pyproject.toml) and by colcon (colcon.pkg).  Where the
# interpreter has no ROS 2 wheels, as on a sourced /opt/ros, it does nothing.

# The CMake packages of the wheels lie in <prefix>/share, beside <prefix>/lib/pythonX.Y/site-packages.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
execute_process(
  COMMAND "${Python3_EXECUTABLE}" -c
    "from importlib.metadata import distribution as d; print(d('ros-ament-package').locate_file('').resolve().parents[2].as_posix())"
  OUTPUT_VARIABLE wheels_prefix
  OUTPUT_STRIP_TRAILING_WHITESPACE
  ERROR_QUIET
  RESULT_VARIABLE no_wheels)
if(no_wheels)
  return()
endif()
message(STATUS "ROS 2 wheels: ${wheels_prefix}")
list(APPEND CMAKE_PREFIX_PATH "${wheels_prefix}")
set(ENV{AMENT_PREFIX_PATH} "$ENV{AMENT_PREFIX_PATH}:${wheels_prefix}")

# Their targets carry include paths of the machine that built them (/opt/python/cpXY/...), and CMake
# refuses an imported target whose include path is missing: drop the missing ones.
function(drop_missing_includes)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(paths ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(paths)
      set(kept "")
      foreach(path IN LISTS paths)
        if(path MATCHES "^\\$<" OR IS_DIRECTORY "${path}")
          list(APPEND kept "${path}")
        endif()
      endforeach()
      set_property(TARGET ${target} PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${kept}")
    endif()
  endforeach()
endfunction()
cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL drop_missing_includes)
