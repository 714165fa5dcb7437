// SPDX-License-Identifier: Apache-2.0
// A model that comes as TorchScript, and what a site makes of it.
#include <gtest/gtest.h>
#include <torch/script.h>

#include "base/file.h"
#include "tests/trainer/sites/site_client_fixture.h"

namespace convoy::tests {
namespace {

using namespace trainer;
using net::RefusalCode;

/// A model that comes as TorchScript, and the bytes of its file.
class ScriptTest : public SiteClientTest {
 protected:
  ScriptTest() {
    use(site_job());
    torch::jit::Module module("net");
    module.register_parameter("weight", (torch::ones({32, 10}) * 0.01).requires_grad_(), false);
    module.register_attribute("training", torch::jit::BoolType::get(), true);
    module.define("def forward(self, x):\n  return torch.matmul(x, self.weight)\n");
    const std::string path = folder / "net.pt";
    module.save(path);
    file = read_file(path);
    Job scripted = job;
    scripted.model.torchscript = path;
    use(scripted);
    job.model.torchscript = "/nonexistent/of/the/server.pt";
  }
  void offer_script() {
    (void)hub.greet();
    auto scripted = offer(0);
    scripted.torchscript_sha256 = sha256(file);
    (void)hub.say(scripted, hub.last.id);
  }

  std::vector<std::byte> file;
};

TEST_F(ScriptTest, IsTrainedWhereThePolicyListsIt) {
  policy.torchscript = {sha256(file)};
  start_site();
  offer_script();
  hub.send_stream({.kind = net::StreamKind::kTorchScript}, file);
  (void)hub.expect<net::Join>();
  (void)hub.say(offer(kNumber), hub.last.id);
  dispatch(round(0));
  const auto begin = take_update();
  EXPECT_TRUE(begin.finite);
  EXPECT_EQ(begin.steps, 6);
  acknowledge(begin);
  stop_site();
}

TEST_F(ScriptTest, IsNotEvenReceivedWhereThePolicyDoesNot) {
  start_site();
  offer_script();
  EXPECT_EQ(hub.expect<net::Refusal>().code, RefusalCode::kSitePolicy);
  EXPECT_NE(config_error(), "");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "state" / "model.torchscript"));
}

TEST_F(ScriptTest, IsRefusedWhereItIsNotTheOneThatWasOffered) {
  policy.torchscript = {sha256(file)};
  start_site();
  offer_script();
  file.push_back(std::byte{1});
  (void)hub.say(net::ModelBegin{
      .kind = net::StreamKind::kTorchScript, .sha256 = sha256(file), .bytes = std::ssize(file)});
  EXPECT_EQ(hub.expect<net::Refusal>().code, RefusalCode::kSitePolicy) << "no byte is asked for";
  EXPECT_NE(config_error(), "");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "state" / "model.torchscript"));
}

}  // namespace
}  // namespace convoy::tests
