// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/internal/unpickle.h"

#include <torch/csrc/jit/serialization/pickler.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <unordered_map>
#include <utility>
#include <variant>

#include "base/errors.h"
#include "trainer/checkpoint/internal/pickle_value.h"

namespace convoy::trainer::internal {
namespace {

using torch::jit::PickleOpCode;

class Unpickler {
 public:
  Unpickler(std::span<const std::byte> pickle, const ReadStorage& read_storage)
      : rest_(pickle), read_storage_(read_storage) {}

  /// The one object that the pickle describes.
  Value run() {
    for (;;) {
      const auto code = static_cast<PickleOpCode>(take(1)[0]);
      if (code == PickleOpCode::STOP) return pop();
      if (!constant(code) && !memo(code) && !container(code)) call(code);
    }
  }

 private:
  std::span<const std::byte> take(std::size_t count) {
    require_valid(count <= rest_.size());
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  template <typename T>
  T number() {
    static_assert(std::endian::native == std::endian::little);
    T value{};
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string text(std::size_t count) {
    const auto bytes = take(count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::string line() {
    const auto end = std::find(rest_.begin(), rest_.end(), std::byte{'\n'});
    auto result = text(static_cast<std::size_t>(end - rest_.begin()));
    take(1);
    return result;
  }

  template <typename T>
  void push(T value) {
    stack_.push_back({std::move(value)});
  }
  Value pop() {
    require_valid(!stack_.empty());
    auto value = std::move(stack_.back());
    stack_.pop_back();
    return value;
  }
  Values pop_last(std::size_t count) {
    require_valid(count <= stack_.size());
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    Values values(std::make_move_iterator(first), std::make_move_iterator(stack_.end()));
    stack_.erase(first, stack_.end());
    return values;
  }
  Values pop_to_mark() {
    require_valid(!marks_.empty() && marks_.back() <= stack_.size());
    const auto mark = marks_.back();
    marks_.pop_back();
    return pop_last(stack_.size() - mark);
  }

  std::int64_t long_integer() {
    const auto count = number<std::uint8_t>();
    require_valid(count <= sizeof(std::int64_t));
    const auto bytes = take(count);
    std::uint64_t value = 0;
    if (count > 0 && (bytes[count - 1U] & std::byte{0x80}) != std::byte{0}) value = ~value;
    std::memcpy(&value, bytes.data(), count);
    return static_cast<std::int64_t>(value);
  }

  bool constant(PickleOpCode code) {
    switch (code) {
      case PickleOpCode::PROTO:
        take(1);
        return true;
      case PickleOpCode::FRAME:
        take(8);
        return true;
      case PickleOpCode::NONE:
        push(std::monostate{});
        return true;
      case PickleOpCode::NEWTRUE:
        push(true);
        return true;
      case PickleOpCode::NEWFALSE:
        push(false);
        return true;
      case PickleOpCode::BININT:
        push<std::int64_t>(number<std::int32_t>());
        return true;
      case PickleOpCode::BININT1:
        push<std::int64_t>(number<std::uint8_t>());
        return true;
      case PickleOpCode::BININT2:
        push<std::int64_t>(number<std::uint16_t>());
        return true;
      case PickleOpCode::LONG1:
        push(long_integer());
        return true;
      case PickleOpCode::BINUNICODE:
        push(text(number<std::uint32_t>()));
        return true;
      case PickleOpCode::SHORT_BINUNICODE:
        push(text(number<std::uint8_t>()));
        return true;
      case PickleOpCode::GLOBAL:
        push(global());
        return true;
      default:
        return false;
    }
  }

  Global global() {
    const auto module = line();
    return {module + " " + line()};
  }

  bool memo(PickleOpCode code) {
    switch (code) {
      case PickleOpCode::BINPUT:
        put(number<std::uint8_t>());
        return true;
      case PickleOpCode::LONG_BINPUT:
        put(number<std::uint32_t>());
        return true;
      case PickleOpCode::MEMOIZE:
        put(static_cast<std::uint32_t>(memo_.size()));
        return true;
      case PickleOpCode::BINGET:
        get(number<std::uint8_t>());
        return true;
      case PickleOpCode::LONG_BINGET:
        get(number<std::uint32_t>());
        return true;
      default:
        return false;
    }
  }
  void put(std::uint32_t slot) {
    require_valid(!stack_.empty());
    memo_[slot] = stack_.back();
  }
  void get(std::uint32_t slot) {
    const auto found = memo_.find(slot);
    require_valid(found != memo_.end());
    stack_.push_back(found->second);
  }

  bool container(PickleOpCode code) {
    switch (code) {
      case PickleOpCode::MARK:
        marks_.push_back(stack_.size());
        return true;
      case PickleOpCode::EMPTY_DICT:
        stack_.push_back(make_dict());
        return true;
      case PickleOpCode::EMPTY_TUPLE:
        stack_.push_back(make_tuple({}));
        return true;
      case PickleOpCode::TUPLE:
        stack_.push_back(make_tuple(pop_to_mark()));
        return true;
      case PickleOpCode::TUPLE1:
        stack_.push_back(make_tuple(pop_last(1)));
        return true;
      case PickleOpCode::TUPLE2:
        stack_.push_back(make_tuple(pop_last(2)));
        return true;
      case PickleOpCode::TUPLE3:
        stack_.push_back(make_tuple(pop_last(3)));
        return true;
      case PickleOpCode::SETITEM:
        set_items(pop_last(2));
        return true;
      case PickleOpCode::SETITEMS:
        set_items(pop_to_mark());
        return true;
      default:
        return false;
    }
  }
  void set_items(Values keys_and_values) {
    require_valid(!stack_.empty() && keys_and_values.size() % 2 == 0);
    const auto& entries = as<Dict>(stack_.back()).entries;
    for (std::size_t i = 0; i < keys_and_values.size(); i += 2) {
      entries->emplace_back(std::move(keys_and_values[i]), std::move(keys_and_values[i + 1]));
    }
  }

  void call(PickleOpCode code) {
    switch (code) {
      case PickleOpCode::BINPERSID:
        push(storage(pop()));
        return;
      case PickleOpCode::REDUCE:
        reduce();
        return;
      case PickleOpCode::BUILD:  // the _metadata of a state_dict(), which only Python needs
        pop();
        require_valid(!stack_.empty() && std::holds_alternative<Dict>(stack_.back().held));
        return;
      default:
        throw ConfigError("it holds something else than a dictionary of tensors");
    }
  }

  /// ("storage", torch.FloatStorage, key, location, numel)
  Storage storage(const Value& id) {
    const auto& parts = *as<Tuple>(id).items;
    require_valid(parts.size() == 5 && as<std::string>(parts[0]) == "storage");
    const auto& key = as<std::string>(parts[2]);
    const auto found = storages_.find(key);
    if (found != storages_.end()) return found->second;
    const auto dtype = dtype_of_storage(as<Global>(parts[1]).name);
    Storage loaded{read_storage_(key, dtype, as<std::int64_t>(parts[4]))};
    return storages_.emplace(key, std::move(loaded)).first->second;
  }

  void reduce() {
    const Value arguments = pop();
    const Value callee = pop();
    const auto& name = as<Global>(callee).name;
    const auto& items = *as<Tuple>(arguments).items;
    if (name == "collections OrderedDict") {
      stack_.push_back(make_dict());
    } else if (name == "torch._utils _rebuild_tensor_v2") {
      push(rebuild_tensor(items));
    } else if (name == "torch._utils _rebuild_parameter") {
      require_valid(!items.empty());
      push(as<torch::Tensor>(items[0]));
    } else {
      throw ConfigError("it holds a " + name + ", which is no tensor");
    }
  }

  std::span<const std::byte> rest_;
  const ReadStorage& read_storage_;
  Values stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Value> memo_;
  std::map<std::string, Storage> storages_;
};

}  // namespace

std::vector<NamedTensor> unpickle_state_dict(std::span<const std::byte> pickle,
                                             const ReadStorage& read_storage) {
  const Value root = Unpickler(pickle, read_storage).run();
  const auto* dict = std::get_if<Dict>(&root.held);
  require_config(dict != nullptr, "it holds something else than a dictionary of tensors");
  std::vector<NamedTensor> result;
  for (const auto& [key, value] : *dict->entries) {
    const auto* name = std::get_if<std::string>(&key.held);
    require_config(name != nullptr, "a key of its dictionary is no string");
    const auto* tensor = std::get_if<torch::Tensor>(&value.held);
    require_config(tensor != nullptr, "its entry \"" + *name + "\" is no tensor");
    result.push_back({*name, *tensor});
  }
  return result;
}

}  // namespace convoy::trainer::internal
