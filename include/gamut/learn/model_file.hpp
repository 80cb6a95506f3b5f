// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/text.hpp>
#include <gamut/core/whole_file.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/model_file.hpp>

/// What learners fitted, as JSON files: format, version, learner, what F::members shows, checksum. The same file on any machine.
namespace gamut::learn {

namespace detail {

template <class T>
concept Count = std::integral<T> && !std::same_as<T, bool>;
template <class T>
concept Settings = requires(T& value) {
    T::members(value, any_visit{});
};

template <class Json> struct member_writer {
    Json& file;

    void operator()(const char* name, const core::status& value) const { file[name] = core::name(value); }
    void operator()(const char* name, const double& value) const { file[name] = value; }  // NaN: null
    void operator()(const char* name, const std::string& value) const {
        check(name, value);
        file[name] = value;
    }
    void operator()(const char* name, const core::names& value) const {
        (*this)(name, static_cast<const std::vector<std::string>&>(value));
    }
    template <Count T> void operator()(const char* name, const T& value) const { file[name] = value; }
    template <class T> void operator()(const char* name, const std::vector<T>& value) const {
        for (const T& one : value) {
            if constexpr (std::floating_point<T>) {
                if (!std::isfinite(one))
                    throw core::data_error(core::text("save: one of the fit's ", name, " is ", one,
                                                      " (nothing can be predicted with it) fit again"));
            } else if constexpr (std::same_as<T, std::string>) {
                check(name, one);
            }
        }
        file[name] = value;
    }

    static void check(const char* name, const std::string& text) {
        if (!core::is_utf8(text))
            throw core::data_error(core::text("save: ", name, " '", core::visible(text),
                                              "' is not UTF-8 (a model file is; Latin-1?) rename it in the fit"));
    }
};

struct member_reader {
    const gamut::detail::model_file_reader& read;

    void operator()(const char* name, core::status& value) const {
        const std::string text = read.text(name);
        for (const core::status s : core::every_status)
            if (core::name(s) == text) {
                value = s;
                return;
            }
        read.wrong(name, "is '", core::visible(text, 40), "' (no such status)");
    }
    void operator()(const char* name, double& value) const {
        value = read.at(name).is_null() ? std::numeric_limits<double>::quiet_NaN() : read.number(name, read.at(name));
    }
    void operator()(const char* name, std::string& value) const { value = read.text(name); }
    void operator()(const char* name, core::names& value) const { value = read.texts(name); }
    void operator()(const char* name, std::vector<std::string>& value) const { value = read.texts(name); }
    void operator()(const char* name, std::vector<double>& value) const { value = read.numbers(name); }
    template <Count T> void operator()(const char* name, T& value) const { value = whole<T>(name, read.at(name)); }
    template <Count T> void operator()(const char* name, std::vector<T>& value) const {
        value.clear();
        for (const auto& one : read.list(name)) value.push_back(whole<T>(name, one));
    }

    template <class T, class Json> T whole(const char* name, const Json& from) const {
        constexpr auto least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
        if (from.is_number_unsigned() && std::in_range<T>(from.template get<std::uint64_t>()))
            return from.template get<T>();
        if (from.is_number_integer() && !from.is_number_unsigned() &&
            std::in_range<T>(from.template get<std::int64_t>()))
            return from.template get<T>();
        read.wrong(name, "has what is no whole number from ", least, " to ", most, " (one is needed)");
    }
};

}  // namespace detail

/// Writes a fitted thing; the file appears whole or not at all. Collective: rank 0 writes, all ranks learn of a failure.
template <Fitted F> void save(const F& fit, const std::string& path) {
    communicator::agree(fit.communicator, [&] {
        if (fit.communicator.rank() != 0) return;
        fit.validate();
        decltype(gamut::detail::parsed_model_file("", "")) file;
        const gamut::detail::emptied_at_end emptied(file);
        file["format"] = "gamut learner";
        file["version"] = gamut::detail::model_file_version;
        file["learner"] = F::name;
        F::members(fit, detail::member_writer<decltype(file)>{file});
        file["checksum"] = gamut::detail::checksum(file.dump());
        core::whole_file to(path);
        to.write(file.dump(1) + "\n");
        to.close();
    });
}

/// Reads it: learn::load<learn::fitted_k_means>("groups.json"), or with ranks, of which rank 0 reads. Throws data_error, the same on
/// all ranks.
template <template <class> class F, communicator::Communicator C = communicator::single<>>
F<C> load(const std::string& path, const C& ranks = {}) {
    const std::string text = gamut::detail::text_on_all_ranks(path, ranks);
    F<C> fit(ranks);
    communicator::agree(ranks, [&] {
        gamut::detail::read_json(text, path, [&](auto file) {
            const gamut::detail::emptied_at_end emptied(file);
            const gamut::detail::model_file_reader read(file, path);
            gamut::detail::check_head(file, read, "learner");
            if (const std::string name = read.text("learner"); name != F<C>::name)
                read.refuse("a fit of ", core::visible(name, 40), " (one of ", F<C>::name, " is wanted)");
            F<C>::members(fit, detail::member_reader{read});
            try {
                fit.validate();
            } catch (const core::error& problem) {
                read.refuse(problem.what());
            }
        });
    });
    return fit;
}

}  // namespace gamut::learn
