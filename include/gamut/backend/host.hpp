// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <unistd.h>

// Of xtensor-blas the declarations alone: its wrappers (xblas.hpp, xlapack.hpp) would triple the compile time of this file.
#include <xflens/cxxblas/drivers/cblas.h>
#if __has_include(<xtensor/containers/xtensor.hpp>)
#    include <xtensor/containers/xtensor.hpp>  // xtensor 0.26 and later
#else
#    include <xtensor/xtensor.hpp>
#endif

#ifdef _OPENMP
#    include <omp.h>
#endif

#include <gamut/backend/array.hpp>
#include <gamut/backend/concept.hpp>
#include <gamut/backend/pack.hpp>
#include <gamut/backend/pack_functions.hpp>
#include <gamut/fwd.hpp>

extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace gamut::backend {

namespace detail {
// LAPACK under names of our own: whatever else declares its functions, and however, does not matter.
#define GAMUT_TEXT(x) GAMUT_QUOTED(x)
#define GAMUT_QUOTED(x) #x
#define GAMUT_FORTRAN(name) __asm__(GAMUT_TEXT(__USER_LABEL_PREFIX__) #name "_")
extern "C" {
void gamut_spotrf(const char* uplo, const int* n, float* a, const int* lda, int* info) GAMUT_FORTRAN(spotrf);
void gamut_dpotrf(const char* uplo, const int* n, double* a, const int* lda, int* info) GAMUT_FORTRAN(dpotrf);
void gamut_spotrs(const char* uplo, const int* n, const int* columns, const float* a, const int* lda, float* b,
                  const int* ldb, int* info) GAMUT_FORTRAN(spotrs);
void gamut_dpotrs(const char* uplo, const int* n, const int* columns, const double* a, const int* lda, double* b,
                  const int* ldb, int* info) GAMUT_FORTRAN(dpotrs);
void gamut_ssyevd(const char* job, const char* uplo, const int* n, float* a, const int* lda, float* w, float* work,
                  const int* lwork, int* iwork, const int* liwork, int* info) GAMUT_FORTRAN(ssyevd);
void gamut_dsyevd(const char* job, const char* uplo, const int* n, double* a, const int* lda, double* w, double* work,
                  const int* lwork, int* iwork, const int* liwork, int* info) GAMUT_FORTRAN(dsyevd);
}
#undef GAMUT_FORTRAN
#undef GAMUT_QUOTED
#undef GAMUT_TEXT
}  // namespace detail

/// Reads eight entries at once.
template <class T> struct pack_reader {
    using value_type = pack<T>;
    GAMUT_INLINE pack<T> load(const T* first, std::size_t i) const { return pack<T>::load(first + i); }
};

/// The cores of this process: xtensor for storage, xtensor-blas for matrix products and factorisations, OpenMP over rows.
///   threads   0: as many as OMP_NUM_THREADS says, else the machine's cores divided by the ranks on it
/// What runs over arrays stays out of line: each formula is compiled once, however many solvers use it.
/// The number of threads never changes a bit of a result: rows are cut into shards, sums into fixed chunks.
template <class T> struct host {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                  "host: needs float or double; write backend::host<double>");

    using value_type = T;
    using storage = xt::xtensor<T, 1>;
    static constexpr bool host_memory = true;

    int threads = 0;

    /// Threads of this process when `local_ranks` ranks share the machine.
    int threads_of(int local_ranks) const {
        if (threads > 0) return threads;
#ifdef _OPENMP
        if (std::getenv("OMP_NUM_THREADS")) return omp_get_max_threads();
        return std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)) / std::max(1, local_ranks));
#else
        (void)local_ranks;
        return 1;
#endif
    }

    [[gnu::noinline]] static storage allocate(std::size_t n, T value) {
        storage s(std::array<std::size_t, 1>{n});
        std::fill(s.data(), s.data() + n, value);
        return s;
    }
    static const T* data(const storage& s) { return s.data(); }
    static T* data(storage& s) { return s.data(); }
    static std::size_t size(const storage& s) { return s.size(); }
    [[gnu::noinline]] static void upload(std::span<const T> from, storage& to) {
        std::copy(from.begin(), from.end(), to.data());
    }
    [[gnu::noinline]] static void download(const storage& from, std::span<T> to) {
        std::copy(from.data(), from.data() + from.size(), to.begin());
    }

    /// out_i = formula(i); reads of out_i come before its write.
    template <class E> [[gnu::noinline]] static void map(const E& formula, std::size_t n, T* out) {
        const index_reader<T> reader;
#if defined(__clang__)
#    pragma clang loop vectorize(assume_safety)
#else
#    pragma GCC ivdep
#endif
        for (std::size_t i = 0; i < n; ++i) out[i] = formula.value(reader, i);
    }

    /// Eight running sums per chunk of 4,096 entries, chunks added in order.
    template <class E> [[gnu::noinline]] static double sum(const E& formula, std::size_t n) {
        constexpr std::size_t chunk = 4096, width = pack<T>::width;
        const pack_reader<T> packs;
        const index_reader<T> single;
        double s = 0;
        for (std::size_t begin = 0; begin < n; begin += chunk) {
            const std::size_t end = std::min(n, begin + chunk), whole = begin + (end - begin) / width * width;
            pack<T> lanes(0);
            for (std::size_t i = begin; i < whole; i += width) lanes += formula.value(packs, i);
            double part = static_cast<double>(lanes.total());
            for (std::size_t i = whole; i < end; ++i) part += static_cast<double>(formula.value(single, i));
            s += part;
        }
        return s;
    }

    template <class E> [[gnu::noinline]] static double maximum(const E& formula, std::size_t n) {
        const index_reader<T> reader;
        T m = n > 0 ? formula.value(reader, 0) : T(0);
        bool number = m == m;
        for (std::size_t i = 1; i < n; ++i) {
            const T x = formula.value(reader, i);
            number = number && x == x;
            m = x > m ? x : m;
        }
        return number ? static_cast<double>(m) : std::numeric_limits<double>::quiet_NaN();
    }

    /// C = alpha op(A) op(B) + beta C, row-major, on one thread: the library's own threads work on different rows.
    static void gemm(bool transpose_a, bool transpose_b, std::size_t m, std::size_t n, std::size_t k, T alpha,
                     const T* a, std::size_t lda, const T* b, std::size_t ldb, T beta, T* c, std::size_t ldc) {
        if (m == 0 || n == 0) return;
        single_threaded_blas();
        const auto call = [&](auto* function) {
            const auto integer = [](std::size_t i) { return static_cast<int>(i); };
            function(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
                     integer(m), integer(n), integer(k), alpha, a, integer(lda), b, integer(ldb), beta, c,
                     integer(ldc));
        };
        if constexpr (sizeof(T) == 8)
            call(cblas_dgemm);
        else
            call(cblas_sgemm);
    }

    /// Lower Cholesky factor of the symmetric n x n matrix a, in place (row-major; the strict upper triangle is not read).
    /// False if a is not positive definite to rounding.
    static bool factorize(std::size_t n, T* a) {
        if (n == 0) return true;
        single_threaded_blas();
        const char upper = 'U';  // the lower triangle by rows is the upper triangle by columns
        const int size = static_cast<int>(n);
        int info = 0;
        if constexpr (sizeof(T) == 8)
            detail::gamut_dpotrf(&upper, &size, a, &size, &info);
        else
            detail::gamut_spotrf(&upper, &size, a, &size, &info);
        return info == 0;
    }
    /// Solves a x = b in place with the factor of `factorize`.
    static void solve(std::size_t n, const T* factor, T* b) {
        if (n == 0) return;
        const char upper = 'U';
        const int size = static_cast<int>(n), columns = 1;
        int info = 0;
        if constexpr (sizeof(T) == 8)
            detail::gamut_dpotrs(&upper, &size, &columns, factor, &size, b, &size, &info);
        else
            detail::gamut_spotrs(&upper, &size, &columns, factor, &size, b, &size, &info);
    }

    /// Eigenvalues of the symmetric n x n matrix a, ascending, and for each a row of a that is its eigenvector, of length 1; the strict
    /// upper triangle (row-major) is not read. False if the iteration fails, as it does with what is not finite.
    static bool eigen(std::size_t n, T* a, T* values) {
        if (n == 0) return true;
        single_threaded_blas();
        const char vectors = 'V', upper = 'U';
        const int size = static_cast<int>(n);
        int info = 0;
        const auto call = [&](T* work, int length, int* whole, int whole_length) {
            if constexpr (sizeof(T) == 8)
                detail::gamut_dsyevd(&vectors, &upper, &size, a, &size, values, work, &length, whole, &whole_length,
                                     &info);
            else
                detail::gamut_ssyevd(&vectors, &upper, &size, a, &size, values, work, &length, whole, &whole_length,
                                     &info);
        };
        T wanted = 0;
        int whole_wanted = 0;
        call(&wanted, -1, &whole_wanted, -1);
        std::vector<T> work(static_cast<std::size_t>(wanted) + 1);
        std::vector<int> whole(static_cast<std::size_t>(whole_wanted));
        call(work.data(), static_cast<int>(work.size()), whole.data(), whole_wanted);
        return info == 0;
    }

    /// BLAS gives other bits on more threads, and every product here is one of many that run side by side.
    static void single_threaded_blas() {
        static const bool once = [] {
            if (openblas_set_num_threads && !std::getenv("OPENBLAS_NUM_THREADS")) openblas_set_num_threads(1);
            return true;
        }();
        (void)once;
    }
};

static_assert(Backend<host<double>> && Backend<host<float>>);

}  // namespace gamut::backend
