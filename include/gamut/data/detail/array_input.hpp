// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/detail/problems.hpp>
#include <gamut/data/shard.hpp>

namespace gamut::data::detail {

/// xt::xtensor, xt::xarray and the like; only what is needed of them, so that their headers aren't.
template <class A>
concept ShapedArray = requires(const A& a) {
    a.data();
    a.shape().size();
    a.shape()[0];
};

/// float stays float; all else becomes double.
template <class V> using number_of = std::conditional_t<std::is_same_v<std::remove_cvref_t<V>, float>, float, double>;

template <class A> const auto* first_element(const A& a) {
    if constexpr (requires { a.data_offset(); })
        return a.data() + a.data_offset();
    else
        return a.data();
}

/// The features of `arrays`, and why their shape is wrong, if it is: said when the ranks can fail together.
template <class Matrix> struct feature_rows {
    Matrix matrix;
    std::string trouble;
};

template <class T> feature_rows<backend::dense_matrix<T>> to_rows(backend::dense_matrix<T> x) {
    std::string trouble;
    if (x.values.size() != x.rows * x.columns) {
        trouble = core::text("x has ", x.values.size(), " values (it is ", x.rows, " x ", x.columns, ")");
    }
    return {std::move(x), trouble};
}

template <class T> feature_rows<backend::sparse_matrix<T>> to_rows(backend::sparse_matrix<T> x) {
    std::string trouble;
    const auto stored = static_cast<std::int64_t>(x.indices.size());
    if (x.offsets.size() != x.rows + 1) {
        trouble = core::text("x has ", x.offsets.size(), " offsets (", x.rows, " rows need one more than that)");
    } else if (x.offsets.front() != 0 || x.offsets.back() != stored) {
        trouble = core::text("x has offsets from ", x.offsets.front(), " to ", x.offsets.back(), " (0 to ", stored,
                             ", the number of indices, is needed)");
    } else if (!x.values.empty() && x.values.size() != x.indices.size()) {
        trouble = core::text("x has ", x.values.size(), " values (there are ", stored, " indices)");
    }
    for (std::size_t i = 0; i < x.rows && trouble.empty(); ++i) {
        if (x.offsets[i] > x.offsets[i + 1]) trouble = core::text("x has offsets that descend (at row ", i, ")");
    }
    return {std::move(x), trouble};
}

template <ShapedArray A> auto to_rows(const A& a) {
    using T = number_of<decltype(*a.data())>;
    const auto& shape = a.shape();
    if (shape.size() != 2) {
        return feature_rows<backend::dense_matrix<T>>{
            {}, core::text("x has ", shape.size(), " dimensions (rows and columns are needed)")};
    }
    const auto rows = static_cast<std::size_t>(shape[0]), columns = static_cast<std::size_t>(shape[1]);
    std::ptrdiff_t down = static_cast<std::ptrdiff_t>(columns), right = 1;
    if constexpr (requires { a.strides()[0]; }) {
        down = static_cast<std::ptrdiff_t>(a.strides()[0]);
        right = static_cast<std::ptrdiff_t>(a.strides()[1]);
    }
    backend::dense_matrix<T> x(rows, columns);
    const auto* const values = first_element(a);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto* const row = values + static_cast<std::ptrdiff_t>(i) * down;
        T* const to = x.row(i);
        for (std::size_t j = 0; j < columns; ++j) to[j] = static_cast<T>(row[static_cast<std::ptrdiff_t>(j) * right]);
    }
    return feature_rows<backend::dense_matrix<T>>{std::move(x), {}};
}

template <class Values> auto to_rows(const Values& values, std::size_t rows, std::size_t columns) {
    using T = number_of<decltype(values[0])>;
    const auto count = static_cast<std::size_t>(values.size());
    if (columns == 0 ? count != 0 : count / columns != rows || count % columns != 0) {
        return feature_rows<backend::dense_matrix<T>>{
            {}, core::text("x has ", count, " values (", rows, " rows of ", columns, " are needed)")};
    }
    backend::dense_matrix<T> x(rows, columns);
    for (std::size_t k = 0; k < count; ++k) x.values[k] = static_cast<T>(values[k]);
    return feature_rows<backend::dense_matrix<T>>{std::move(x), {}};
}

/// Element i of a list, a one-dimensional array, or an array with one column.
template <class List, class Visit>
void for_each_element(const List& list, std::string_view name, std::string& trouble, Visit visit) {
    if constexpr (ShapedArray<List>) {
        const auto& shape = list.shape();
        std::size_t count = 1, longest = 0;
        std::ptrdiff_t step = 1;
        for (std::size_t d = 0; d < shape.size(); ++d) {
            const auto length = static_cast<std::size_t>(shape[d]);
            count *= length;
            if (length <= longest) continue;
            longest = length;
            if constexpr (requires { list.strides()[0]; }) step = static_cast<std::ptrdiff_t>(list.strides()[d]);
        }
        if (count != longest) {
            trouble = core::text(name, " has ", shape.size(), " dimensions (one number per row is needed)");
            return;
        }
        const auto* const values = first_element(list);
        for (std::size_t i = 0; i < count; ++i) visit(values[static_cast<std::ptrdiff_t>(i) * step]);
    } else {
        for (std::size_t i = 0; i < static_cast<std::size_t>(list.size()); ++i) visit(list[i]);
    }
}

/// Labels or sample weights: numbers or texts. A char is a text of one letter.
struct value_list {
    std::vector<double> numbers;
    std::vector<std::string> texts;
    std::vector<std::pair<std::size_t, std::string>>
        exact;  // integers beyond 2^53, which doubles merge, with their places
    std::string trouble;

    value_list() = default;
    template <class List> value_list(const List& list, std::string_view name) {
        for_each_element(list, name, trouble, [&](const auto& value) {
            using V = std::remove_cvref_t<decltype(value)>;
            if constexpr (std::is_same_v<V, char>) {
                texts.emplace_back(1, value);
            } else if constexpr (std::is_convertible_v<decltype(value), double>) {
                if constexpr (std::is_integral_v<V> && sizeof(V) > 4) {
                    constexpr V most = V(1) << 53;
                    if (value > most || (std::is_signed_v<V> && value < V(0) - most))
                        exact.emplace_back(numbers.size(), core::text(value));
                }
                numbers.push_back(static_cast<double>(value));
            } else {
                texts.emplace_back(std::string_view(value));
            }
        });
    }

    std::size_t size() const { return numbers.empty() ? texts.size() : numbers.size(); }
    /// Element i as the name of a class.
    std::string name(std::size_t i) const {
        if (!texts.empty()) return texts[i];
        const auto place = std::lower_bound(exact.begin(), exact.end(), i,
                                            [](const auto& entry, std::size_t row) { return entry.first < row; });
        return place != exact.end() && place->first == i ? place->second : core::all_digits(numbers[i]);
    }
};

/// Rows [begin, end), borrowed from `owner`: nothing but a sparse matrix's offsets is copied.
template <class T>
void borrow_rows(const std::shared_ptr<const void>& owner, const backend::dense_matrix<T>& from, range rows,
                 backend::dense_matrix<T>& to) {
    to.rows = rows.size();
    to.values = backend::shared_vector<T>::borrowed(owner, from.row(rows.begin), rows.size() * from.columns);
}
template <class T>
void borrow_rows(const std::shared_ptr<const void>& owner, const backend::sparse_matrix<T>& from, range rows,
                 backend::sparse_matrix<T>& to) {
    const std::int64_t first = from.offsets[rows.begin];
    const auto count = static_cast<std::size_t>(from.offsets[rows.end] - first);
    const auto borrow = [&]<class V>(const backend::shared_vector<V>& values) {
        return backend::shared_vector<V>::borrowed(owner, values.data() + first, count);
    };
    to.rows = rows.size();
    to.offsets.resize(rows.size() + 1);
    for (std::size_t i = 0; i <= rows.size(); ++i) to.offsets[i] = from.offsets[rows.begin + i] - first;
    to.indices = borrow(from.indices);
    if (!from.values.empty()) to.values = borrow(from.values);
}

/// Makes room for rows like those of `from`.
template <class T>
void reserve_rows(const backend::dense_matrix<T>& from, std::size_t rows, backend::dense_matrix<T>& to) {
    to.values.reserve(rows * from.columns);
}
template <class T>
void reserve_rows(const backend::sparse_matrix<T>&, std::size_t rows, backend::sparse_matrix<T>& to) {
    to.offsets.reserve(rows + 1);
}

/// Copies row i behind the rows that `to` has.
template <class T> void append_row(const backend::dense_matrix<T>& from, std::size_t i, backend::dense_matrix<T>& to) {
    to.values.insert(to.values.end(), from.row(i), from.row(i) + from.columns);
    ++to.rows;
}
template <class T>
void append_row(const backend::sparse_matrix<T>& from, std::size_t i, backend::sparse_matrix<T>& to) {
    const auto begin = from.offsets[i], end = from.offsets[i + 1];
    to.indices.insert(to.indices.end(), from.indices.begin() + begin, from.indices.begin() + end);
    if (!from.values.empty()) to.values.insert(to.values.end(), from.values.begin() + begin, from.values.begin() + end);
    to.offsets.push_back(static_cast<std::int64_t>(to.indices.size()));
    ++to.rows;
}

/// What is wrong within row i; true when nothing is.
template <class T>
bool check_row(const backend::dense_matrix<T>& x, std::size_t i, std::string_view name, problems& found) {
    T lanes[8] = {};  // 0 times what is not finite is not 0: a loop without branches
    const T* const row = x.row(i);
    std::size_t k = 0;
    for (; k + 8 <= x.columns; k += 8)
        for (std::size_t l = 0; l < 8; ++l) lanes[l] += row[k + l] * T(0);
    for (; k < x.columns; ++k) lanes[0] += row[k] * T(0);
    T sum = 0;
    for (const T lane : lanes) sum += lane;
    if (sum == 0) return true;
    for (std::size_t j = 0; j < x.columns; ++j) {
        if (std::isfinite(x(i, j))) continue;
        found.add(name, ": x(", i, ", ", j, ") is ", x(i, j), " (values must be finite) replace it, or drop the row");
        return false;
    }
    return true;
}
template <class T>
bool check_row(const backend::sparse_matrix<T>& x, std::size_t i, std::string_view name, problems& found) {
    std::int64_t last = -1;
    for (auto k = static_cast<std::size_t>(x.offsets[i]); k < static_cast<std::size_t>(x.offsets[i + 1]); ++k) {
        const std::int64_t j = x.indices[k];
        if (j < 0 || j >= static_cast<std::int64_t>(x.columns)) {
            found.add(name, ": row ", i, " of x has index ", j, " (x has ", x.columns, " columns) correct it");
            return false;
        }
        if (j <= last) {
            found.add(name, ": row ", i, " of x has index ", j, " behind ", last, " (they must ascend) sort the row");
            return false;
        }
        last = j;
        if (std::isfinite(x.value(k))) continue;
        found.add(name, ": x(", i, ", ", j, ") is ", x.value(k),
                  " (values must be finite) replace it, or drop the row");
        return false;
    }
    return true;
}

}  // namespace gamut::data::detail
