// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/state_dict.h"

#include <caffe2/serialize/inline_container.h>
#include <caffe2/serialize/read_adapter_interface.h>
#include <torch/csrc/jit/serialization/pickler.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "trainer/checkpoint/internal/unpickle.h"
#include "trainer/torch_error.h"

namespace convoy::trainer {
namespace {

/// Gives LibTorch's zip reader a view of bytes in memory.
class SpanReader final : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit SpanReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::size_t size() const override { return bytes_.size(); }
  std::size_t read(std::uint64_t position, void* buffer, std::size_t count,
                   const char* /*what*/) const override {
    if (position >= bytes_.size()) return 0;
    const auto part = bytes_.subspan(position, std::min(count, bytes_.size() - position));
    std::memcpy(buffer, part.data(), part.size());
    return part.size();
  }

 private:
  std::span<const std::byte> bytes_;
};

/// A tensor on the CPU that fills its storage, because a pickled tensor takes all of its storage
/// into the file.
torch::Tensor compact(const torch::Tensor& tensor) {
  const auto result = tensor.detach().cpu().contiguous();
  return result.storage().nbytes() == result.nbytes() ? result : result.clone();
}

c10::Dict<std::string, torch::Tensor> to_dict(const std::vector<NamedTensor>& tensors) {
  c10::Dict<std::string, torch::Tensor> dict;
  for (const auto& [name, tensor] : tensors) {
    require(tensor.defined(), "tensor \"" + name + "\" of a state dictionary is undefined");
    require(dict.insert(name, compact(tensor)).second,
            "two tensors of a state dictionary are called \"" + name + "\"");
  }
  return dict;
}

/// `storages` receives a tensor for each storage that the pickle refers to, in order.
std::string pickle(const c10::Dict<std::string, torch::Tensor>& dict,
                   std::vector<torch::Tensor>& storages) {
  std::string bytes;
  // Without the type tags that Python would refuse under weights_only.
  torch::jit::Pickler pickler([&](const char* data, std::size_t size) { bytes.append(data, size); },
                              nullptr, nullptr, nullptr, nullptr, /*tag_aggregates=*/false);
  pickler.protocol();
  pickler.pushIValue(dict);
  pickler.stop();
  storages = pickler.tensorData();
  return bytes;
}

using Put = std::function<void(std::span<const std::byte>)>;

/// Writes the archive in parts. LibTorch's writer must not be left by an exception, not even before
/// it is destroyed: the first one waits until then.
void write_archive(const std::vector<NamedTensor>& tensors, const Put& put) {
  std::vector<torch::Tensor> storages;
  const auto dict = to_dict(tensors);
  const auto description = pickle(dict, storages);
  std::exception_ptr error;
  {
    caffe2::serialize::PyTorchStreamWriter archive([&](const void* data, std::size_t size) {
      try {
        if (!error) put({static_cast<const std::byte*>(data), size});
      } catch (...) {
        error = std::current_exception();
      }
      return size;
    });
    archive.writeRecord("data.pkl", description.data(), description.size());
    for (std::size_t i = 0; i < storages.size(); ++i) {
      const auto& storage = storages[i].storage();
      archive.writeRecord("data/" + std::to_string(i), storage.data(), storage.nbytes());
    }
    archive.writeEndOfFile();
  }
  if (error) std::rethrow_exception(error);
}

torch::Tensor read_storage(caffe2::serialize::PyTorchStreamReader& archive, const std::string& key,
                           torch::ScalarType dtype, std::int64_t numel) {
  const auto [data, size] = archive.getRecord("data/" + key);
  auto elements = torch::empty({std::max<std::int64_t>(numel, 0)}, dtype);
  require_config(numel >= 0 && elements.nbytes() == size,
                 "its storage " + key + " has " + std::to_string(size) + " of " +
                     std::to_string(elements.nbytes()) + " bytes");
  if (size > 0) std::memcpy(elements.data_ptr(), data.get(), size);
  return elements;
}

void check_byte_order(caffe2::serialize::PyTorchStreamReader& archive) {
  if (!archive.hasRecord("byteorder")) return;
  const auto [data, size] = archive.getRecord("byteorder");
  require_config(std::string(static_cast<const char*>(data.get()), size) == "little",
                 "it was written on a machine of another byte order");
}

std::vector<NamedTensor> decode(std::span<const std::byte> bytes) {
  constexpr std::string_view kZip = "PK\x03\x04";
  require_config(
      bytes.size() > kZip.size() && std::memcmp(bytes.data(), kZip.data(), kZip.size()) == 0,
      "it is not in PyTorch's zip format");
  caffe2::serialize::PyTorchStreamReader archive(std::make_shared<SpanReader>(bytes));
  require_config(!archive.hasRecord("constants.pkl"),
                 "it is a TorchScript module, not a dictionary of tensors");
  check_byte_order(archive);
  const auto [data, size] = archive.getRecord("data.pkl");
  return internal::unpickle_state_dict(
      {static_cast<const std::byte*>(data.get()), size},
      [&](const std::string& key, torch::ScalarType dtype, std::int64_t numel) {
        return read_storage(archive, key, dtype, numel);
      });
}

}  // namespace

std::vector<std::byte> encode_state_dict(const std::vector<NamedTensor>& tensors) {
  std::vector<std::byte> bytes;
  write_archive(tensors, [&bytes](std::span<const std::byte> part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  });
  return bytes;
}

std::vector<NamedTensor> decode_state_dict(std::span<const std::byte> bytes,
                                           const std::string& origin) {
  try {
    return decode(bytes);
  } catch (const std::exception& error) {
    throw ConfigError("cannot load " + origin + ": " + one_line(error));
  }
}

SavedFile save_state_dict(const std::filesystem::path& path,
                          const std::vector<NamedTensor>& tensors) {
  AtomicFile file(path);
  Hash64Stream hash;
  SavedFile saved;
  write_archive(tensors, [&](std::span<const std::byte> part) {
    file.write(part);
    hash.add(part);
    saved.bytes += part.size();
  });
  file.commit();
  saved.hash = hash.value();
  return saved;
}

std::vector<NamedTensor> load_state_dict(const std::filesystem::path& path) {
  return decode_state_dict(read_file(path), path.string());
}

}  // namespace convoy::trainer
