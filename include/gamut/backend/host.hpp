// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <thread>

#include <xtensor-blas/xblas.hpp>
#include <xtensor-blas/xlapack.hpp>
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
#include <gamut/fwd.hpp>

extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace gamut::backend {

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
        return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / std::max(1, local_ranks));
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
#pragma GCC ivdep
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
        single_threaded_blas();
        using index = xt::blas_index_t;
        cxxblas::gemm<index>(cxxblas::StorageOrder::RowMajor,
                             transpose_a ? cxxblas::Transpose::Trans : cxxblas::Transpose::NoTrans,
                             transpose_b ? cxxblas::Transpose::Trans : cxxblas::Transpose::NoTrans,
                             static_cast<index>(m), static_cast<index>(n), static_cast<index>(k), alpha, a,
                             static_cast<index>(lda), b, static_cast<index>(ldb), beta, c, static_cast<index>(ldc));
    }

    /// Lower Cholesky factor of the symmetric n x n matrix a, in place (row-major; the strict upper triangle is not read).
    /// False if a is not positive definite to rounding.
    static bool factorize(std::size_t n, T* a) {
        single_threaded_blas();
        // the lower triangle by rows is the upper triangle by columns
        return n == 0 || cxxlapack::potrf<xt::blas_index_t>('U', static_cast<xt::blas_index_t>(n), a,
                                                            static_cast<xt::blas_index_t>(n)) == 0;
    }
    /// Solves a x = b in place with the factor of `factorize`.
    static void solve(std::size_t n, const T* factor, T* b) {
        if (n == 0) return;
        cxxlapack::potrs<xt::blas_index_t>('U', static_cast<xt::blas_index_t>(n), 1, factor,
                                           static_cast<xt::blas_index_t>(n), b, static_cast<xt::blas_index_t>(n));
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
