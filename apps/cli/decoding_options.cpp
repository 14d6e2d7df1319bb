#include "apps/cli/decoding_options.h"

#include "sampling/proposals/autoregressive.h"

namespace arbg::apps {

std::vector<Option> with_decoding(std::vector<Option> options, const char* temperature) {
  options.push_back(
      {"temperature", "X", temperature,
       "sampling temperature of the network (log q stays exact), not the physical one"});
  options.push_back({"top-k", "N", "0", "draw from the N most probable tokens; 0: from all"});
  options.push_back(
      {"top-p", "X", "1", "draw from the most probable tokens that together have probability X"});
  options.push_back({"full-support", "EPS", "0",
                     "with --top-k, --top-p: mix in this share of the full distribution, so that "
                     "weights stay consistent"});
  return options;
}

sampling::Decoding decoding_from(const Arguments& arguments, double temperature) {
  sampling::Decoding out;
  out.temperature = arguments.given("temperature") ? arguments.number("temperature") : temperature;
  out.top_k = arguments.integer("top-k", 0);
  out.top_p = arguments.number("top-p");
  out.full_support = arguments.number("full-support");
  out.check();
  return out;
}

Json to_json(const sampling::Decoding& decoding) {
  Json json = Json::object();
  json["temperature"] = decoding.temperature;
  json["top_k"] = decoding.top_k;
  json["top_p"] = decoding.top_p;
  json["full_support"] = decoding.full_support;
  json["text"] = decoding.text();
  if (decoding.biased()) json["biased"] = sampling::kTruncated;
  return json;
}

}  // namespace arbg::apps
