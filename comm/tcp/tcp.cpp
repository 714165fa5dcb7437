// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/tcp.h"

#include "comm/internal/transport_communicator.h"
#include "comm/tcp/internal/address.h"
#include "comm/tcp/internal/mesh.h"
#include "comm/tcp/internal/transport.h"
#include "comm/values.h"

namespace convoy::comm::tcp {

std::unique_ptr<Communicator> make(Communicator& bootstrap, const Options& options) {
  auto transport =
      make_transport(bootstrap.rank(), connect(bootstrap, options),
                     {.network = options.network, .timeout = bootstrap.options().timeout});
  return std::make_unique<internal::TransportCommunicator>(std::move(transport),
                                                           bootstrap.options());
}

std::vector<Descriptor> connect(Communicator& bootstrap, const Options& options) {
  check_network(options.network);
  allow_descriptors(static_cast<std::size_t>(bootstrap.size()));
  const Listener listener = listen(options.network);
  const auto all = all_gather_values(bootstrap, encode(listener.offer));
  std::vector<Offer> offers;
  for (std::size_t at = 0; at < all.size(); at += kOfferBytes) {
    offers.push_back(decode_offer(std::span(all).subspan(at, kOfferBytes)));
  }
  return connect_all(bootstrap.rank(), offers, listener, bootstrap.options().timeout);
}

void check_network(const std::string& network) {
  if (!network.empty()) (void)parse_network(network);
}

}  // namespace convoy::comm::tcp
