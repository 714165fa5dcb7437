// SPDX-License-Identifier: Apache-2.0
// A stream of chunks from a site to a server over loopback, both in this process, beside the same
// bytes over a plain blocking OpenSSL connection. One JSON line each, with bytes a second and the
// processor time of both ends together, which does not depend on who else runs here.
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/errors.h"
#include "scheduler/net/certificate_authority.h"
#include "scheduler/net/certificate_request.h"
#include "scheduler/net/dialer.h"
#include "scheduler/net/listener.h"

namespace {

using namespace convoy;
using net::kMaxChunkBytes;

/// A CA and two members in a folder that is gone at the end.
class Members {
 public:
  Members() {
    std::string pattern = (std::filesystem::temp_directory_path() / "convoy-bench-XXXXXX").string();
    require(::mkdtemp(pattern.data()) != nullptr, "mkdtemp");
    folder_ = pattern;
    (void)net::CertificateAuthority::create(folder_ / "ca", {});
    hub = member("hub", net::Role::kServer, {"127.0.0.1"});
    site = member("site", net::Role::kSite, {});
  }
  ~Members() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] net::AuthorityFiles files() const { return net::AuthorityFiles(folder_ / "ca"); }

  net::Credentials hub;
  net::Credentials site;

 private:
  net::Credentials member(const std::string& name, net::Role role, std::vector<std::string> hosts) {
    const auto subject = net::make_subject(name, role, std::move(hosts));
    const auto request = net::make_request(folder_ / name, subject);
    net::CertificateAuthority authority(folder_ / "ca");
    const auto path = folder_ / name / (name + ".crt");
    std::ofstream(path) << authority.sign(request.request, subject, net::valid_for_days(1)).pem;
    return {path, request.key};
  }

  std::filesystem::path folder_;
};

class Sink : public net::ConnectionUser {
 public:
  explicit Sink(std::size_t total) : left_(total) {}
  void on_message(const net::Message&, std::uint64_t, std::uint64_t) override {}
  void on_chunk(const net::Chunk& chunk) override {
    left_ -= chunk.bytes.size();
    if (left_ == 0) done.set_value();
  }
  void on_closed(const std::string&) override {}

  std::promise<void> done;

 private:
  std::size_t left_;
};

class Source : public net::ConnectionUser {
 public:
  explicit Source(std::size_t total) : left_(total), bytes_(kMaxChunkBytes, std::byte{7}) {}
  void begin(std::shared_ptr<net::Connection> connection) {
    connection_ = std::move(connection);
    connection_->post([this] {
      (void)connection_->send(net::Hello{.name = "site", .instance = "1"});
      on_drained();
    });
  }
  void on_message(const net::Message&, std::uint64_t, std::uint64_t) override {}
  void on_chunk(const net::Chunk&) override {}
  void on_drained() override {
    for (; left_ > 0 && connection_->queued_bytes() < 2 * kMaxChunkBytes; left_ -= kMaxChunkBytes) {
      connection_->send_chunk({.stream = 1, .bytes = bytes_});
    }
  }
  void on_closed(const std::string&) override { connection_.reset(); }

 private:
  std::size_t left_;
  std::vector<std::byte> bytes_;
  std::shared_ptr<net::Connection> connection_;
};

double processor_seconds() {
  rusage usage{};
  (void)::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void measure(const char* name, std::size_t total, const std::function<void()>& run) {
  const double processor = processor_seconds();
  const auto began = std::chrono::steady_clock::now();
  run();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const nlohmann::ordered_json line{{"case", name},
                                    {"bytes", total},
                                    {"seconds", took.count()},
                                    {"bytes_per_second", static_cast<double>(total) / took.count()},
                                    {"processor_seconds", processor_seconds() - processor}};
  std::printf("%s\n", line.dump().c_str());
}

void run_transport(const Members& members, std::size_t total) {
  const auto sink = std::make_shared<Sink>(total);
  const auto files = members.files();
  net::Listener listener({.host = "127.0.0.1",
                          .own = members.hub,
                          .peers = {files.certificate, files.list, {net::Role::kSite}}},
                         [&](const auto&) { return sink; });
  net::Dialer dialer({.server = {"127.0.0.1", listener.port()},
                      .own = members.site,
                      .authorities = files.certificate,
                      .lists = files.list});
  const auto source = std::make_shared<Source>(total);
  const auto connection = dialer.dial(source);
  measure("transport", total, [&] {
    source->begin(connection);
    sink->done.get_future().wait();
  });
}

/// One end of a plain connection over one end of a pair of sockets.
class Plain {
 public:
  Plain(const net::Credentials* own, int descriptor) : descriptor_(descriptor) {
    context_ = SSL_CTX_new(TLS_method());
    (void)SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
    if (own != nullptr) {
      SSL_CTX_use_certificate_file(context_, own->certificate.c_str(), SSL_FILETYPE_PEM);
      SSL_CTX_use_PrivateKey_file(context_, own->key.c_str(), SSL_FILETYPE_PEM);
    }
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, descriptor);
    require((own != nullptr ? SSL_accept(ssl_) : SSL_connect(ssl_)) == 1, "handshake");
  }
  ~Plain() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(descriptor_);
  }
  void send(std::size_t total) {
    const std::vector<char> bytes(kMaxChunkBytes, 7);
    for (; total > 0; total -= kMaxChunkBytes) {
      require(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0, "SSL_write");
    }
  }
  void receive(std::size_t total) {
    std::vector<char> bytes(kMaxChunkBytes);
    while (total > 0) {
      const int count = SSL_read(ssl_, bytes.data(), static_cast<int>(bytes.size()));
      require(count > 0, "SSL_read");
      total -= static_cast<std::size_t>(count);
    }
  }

 private:
  int descriptor_;
  SSL_CTX* context_;
  SSL* ssl_;
};

/// Two connected TCP sockets on loopback.
std::pair<int, int> connected_sockets() {
  sockaddr_storage address{};
  address.ss_family = AF_INET;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
  const int dialled = ::socket(AF_INET, SOCK_STREAM, 0);
  const bool ok = ::listen(listening, 1) == 0 && ::getsockname(listening, any, &size) == 0 &&
                  ::connect(dialled, any, size) == 0;
  const int accepted = ::accept(listening, nullptr, nullptr);
  ::close(listening);
  require(ok && accepted >= 0, "sockets");
  return {accepted, dialled};
}

void run_plain(const Members& members, std::size_t total) {
  const auto [accepted, dialled] = connected_sockets();
  std::promise<void> ready;
  std::thread server([&, accepted = accepted] {
    Plain end(&members.hub, accepted);
    ready.set_value();
    end.receive(total);
  });
  Plain client(nullptr, dialled);
  ready.get_future().wait();
  measure("plain OpenSSL", total, [&] {
    client.send(total);
    server.join();
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Streams over the transport between sites, and over plain OpenSSL");
  std::size_t mebibytes = 1024;
  int repeats = 3;
  app.add_option("--mebibytes", mebibytes, "of each stream")->check(CLI::Range(1, 1 << 20));
  app.add_option("--repeats", repeats)->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);
  const Members members;
  for (int i = 0; i < repeats; ++i) {
    run_plain(members, mebibytes << 20);
    run_transport(members, mebibytes << 20);
  }
}
