// SPDX-License-Identifier: BSL-1.0
#pragma once

/// All learners; <gamut/learn/model_file.hpp> saves and loads what they fitted.

#include <gamut/learn/factorisation.hpp>
#include <gamut/learn/k_means.hpp>
#include <gamut/learn/metric.hpp>
#include <gamut/learn/nearest.hpp>
#include <gamut/learn/nonnegative_factorisation.hpp>
#include <gamut/learn/principal_components.hpp>
#include <gamut/learn/random_forest.hpp>
#include <gamut/learn/sparse_coding.hpp>
#include <gamut/learn/supervised_topics.hpp>
#include <gamut/learn/topics.hpp>
