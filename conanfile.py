# SPDX-License-Identifier: BSL-1.0
"""The Conan recipe. The installed CMake package is the interface: consumers call find_package(gamut) and link gamut::gamut."""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain
from conan.tools.files import load
from conan.tools.system.package_manager import Apt


class Gamut(ConanFile):
    name = "gamut"
    license = "BSL-1.0"
    description = "Header-only C++20: distributed, sparse and classic machine learning with every choice a type"
    topics = ("machine-learning", "optimization", "sparse", "mpi", "header-only")
    settings = "os", "arch", "compiler", "build_type"
    options = {
        "with_mpi": [True, False],  # chooses requirements only: every header is always installed
        "compiled": [True, False],  # gamut::compiled, and with_mpi gamut::compiled_mpi, beside the headers
    }
    default_options = {"with_mpi": True, "compiled": False}
    no_copy_source = True
    exports_sources = "CMakeLists.txt", "cmake/*", "include/*", "src/*", "LICENSE"

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "CMakeLists.txt"))
        self.version = re.search(r"^\s+VERSION (\d+\.\d+\.\d+)$", text, re.MULTILINE).group(1)

    def configure(self):
        self.package_type = "static-library" if self.options.compiled else "header-library"

    def requirements(self):
        self.requires("xtensor/[>=0.24.3 <0.28]")  # first: it pins nlohmann_json
        self.requires("xtensor-blas/[>=0.20.0 <0.24]")
        self.requires("nlohmann_json/[>=3.9 <4]")
        self.requires("openblas/[>=0.3.20 <0.4]")
        self.requires("random123/[>=1.14 <2]")
        if self.options.with_mpi:
            self.requires("boost/[>=1.74.0 <2]", options={"without_mpi": False})

    def system_requirements(self):
        if self.options.with_mpi:
            Apt(self).install(["libopenmpi-dev", "openmpi-bin"])

    def validate(self):
        check_min_cppstd(self, 20)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables[f"GAMUT_BUILD_{part}"] = False
        toolchain.cache_variables["GAMUT_MPI"] = bool(self.options.with_mpi)
        toolchain.cache_variables["GAMUT_COMPILED"] = bool(self.options.compiled)
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        if self.options.compiled:
            cmake = CMake(self)
            cmake.configure()
            cmake.build()

    def package(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.install()

    def package_id(self):
        if not self.info.options.compiled:
            self.info.clear()

    def package_info(self):
        self.cpp_info.bindirs = []
        if not self.options.compiled:
            self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_find_mode", "none")  # the package's own gamutConfig.cmake
        self.cpp_info.builddirs = [os.path.join("share", "cmake", "gamut")]
