// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/rotation.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/learn/detail/kept.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/topic_counts.hpp>

namespace gamut::learn::detail {

/// Documents for a learner of topics: a block per node, without weights. Collective.
template <class Learner, class S>
auto load_documents(const char* name, const Learner& learner, const S& source, bool classes) {
    static_assert(communicator::PairwiseCommunicator<std::remove_cvref_t<decltype(learner.communicator)>>,
                  "topics: needs a communicator with exchange; see gamut/communicator/concept.hpp");
    communicator::agree(learner.communicator, [&] { learner.validate(); });
    data::request wanted;
    wanted.labels = classes;
    wanted.classification = classes;
    wanted.blocks = learner.nodes;
    auto rows = source.load(learner.communicator, wanted);
    communicator::agree(learner.communicator, [&] { refuse_weights(name, rows); });
    return rows;
}

/// What all learners of topics share of a fit: the chain's counts, how it is annealed, and means over its last sweeps.
template <class C> class topic_chain {
public:
    /// Any topics to begin with. Collective.
    template <class Learner, class Dataset, class Fit>
    topic_chain(const Learner& learner, const Dataset& rows, int threads, const core::random& draws, Fit& fit)
        : counts(learner.communicator, rows, learner.count, threads, learner.route),
          heated_(std::min(learner.anneal, learner.stop.iterations / 2)),
          first_sample_(learner.stop.iterations - std::min(learner.samples, learner.stop.iterations)) {
        if (learner.count > counts.tokens())
            throw core::data_error(core::text(rows.source, ": ", counts.tokens(), " words in ", rows.rows(),
                                              " documents (", learner.count, " topics are wanted) use fewer topics"));
        fit.threads = learner.threads;
        fit.features = rows.features;
        counts.sweep(
            [&](std::size_t, topic_node& node, const word_block& block) { draw_any_topics(node, block, draws); });
        communicator::agree(learner.communicator, [&] { fit.counts.resize(learner.count * counts.vocabulary()); });
    }

    bool heats(std::size_t sweep) const { return sweep <= heated_; }
    /// Sweeps since annealing ended.
    std::size_t cool(std::size_t sweep) const { return heats(sweep) ? 0 : sweep - heated_; }
    topic_priors warm(const topic_priors& priors, std::size_t sweep) const {
        return priors.annealed(heats(sweep) ? static_cast<double>(heated_ - sweep + 1) / static_cast<double>(heated_)
                                            : 0.0);
    }
    const char* phase(std::size_t sweep) const { return heats(sweep) ? "annealing" : "sampling"; }

    /// One of the sweeps whose mean is the answer.
    bool counts_sweep(std::size_t sweep) const { return sweep > first_sample_; }
    template <class Fit> void add(Fit& fit) {
        counts.add_counts(fit.counts);
        ++samples_;
    }
    bool has_samples() const { return samples_ > 0; }
    /// Whether sums of an earlier run, which ended before `next`, are of sweeps that do not count in this one, which goes on for longer.
    bool begins_anew(std::size_t next) {
        if (samples_ == 0 || next > first_sample_ + 1) return false;
        samples_ = 0;
        return true;
    }
    /// Means of what was added, on all ranks. Collective.
    template <class Fit> void finish(Fit& fit, topic_priors&& priors) {
        everywhere(counts.ranks(), std::span<double>(fit.counts));
        mean(fit.counts);
        fit.alpha = std::move(priors.alpha);
        fit.beta = priors.beta;
    }
    void mean(std::vector<double>& sums) const {
        for (double& one : sums) one /= static_cast<double>(samples_);
    }

    /// What must outlive an interruption (solver/state.hpp): the tokens' topics, and the sums of samples. Behind a reader, recount.
    template <class Each, class Dataset, class Fit> void describe(Each& each, const Dataset& rows, Fit& fit) {
        keep_by_document(
            each, "topics_of_words", rows, [](topic_node & node) -> auto& { return node.topic; });
        const data::range words = counts.words();
        const std::size_t topics = counts.topics(), all = counts.vocabulary();
        std::vector<double> sums((words.end - words.begin) * topics);
        const auto each_sum = [&](auto&& visit) {
            for (std::size_t w = words.begin; w < words.end; ++w)
                for (std::size_t k = 0; k < topics; ++k)
                    visit(fit.counts[k * all + w], sums[(w - words.begin) * topics + k]);
        };
        each_sum([](double& of_fit, double& sum) { sum = of_fit; });
        std::vector<kept_numbers<double>> one{{&sums}};
        each.blocks("sums", one, kept_blocks<C>{counts.ranks(), words.begin, words.end, all});
        each_sum([](double& of_fit, double& sum) { of_fit = sum; });
        each("samples", samples_);
    }
    /// of(node): a number for each of the node's tokens.
    template <class Each, class Dataset, class Of>
    void keep_by_document(Each& each, const char* name, const Dataset& rows, Of&& of) {
        std::vector<std::int32_t> values;
        std::vector<std::size_t> first{0};
        for (auto& node : counts.nodes()) {
            values.insert(values.end(), of(node).begin(), of(node).end());
            for (std::size_t d = 0; d + 1 < node.first.size(); ++d) first.push_back(first.back() + node.length(d));
        }
        keep_parts(
            each, name, blocks_of_rows(counts.ranks(), rows),
            [&](std::size_t row) {
                const std::size_t i = row - rows.first_row;
                return data::range{first[i], first[i + 1]};
            },
            values);
        std::size_t at = 0;
        for (auto& node : counts.nodes()) {
            auto& to = of(node);
            std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(at), to.size(), to.begin());
            at += to.size();
        }
    }

    topic_counts<C> counts;

private:
    std::size_t heated_, first_sample_, samples_ = 0;
};

}  // namespace gamut::learn::detail
