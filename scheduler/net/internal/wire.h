// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "scheduler/net/internal/field_check.h"
#include "scheduler/net/message_codec.h"
#include "scheduler/net/messages.pb.h"

// Between Protobuf's types, which do not leave this folder, and ours. from_wire() gives anything
// for fields that `check` has found wrong.
namespace convoy::net::internal {

wire::Hello to_wire(const Hello& message);
wire::Welcome to_wire(const Welcome& message);
wire::Refusal to_wire(const Refusal& message);
wire::Goodbye to_wire(const Goodbye& message);
wire::Accepted to_wire(const Accepted& message);
wire::Join to_wire(const Join& message);
wire::JobOffer to_wire(const JobOffer& message);
wire::Dispatch to_wire(const Dispatch& message);
wire::Progress to_wire(const Progress& message);
wire::Leave to_wire(const Leave& message);
wire::UploadBegin to_wire(const UploadBegin& message);
wire::UploadAck to_wire(const UploadAck& message);
wire::ModelBegin to_wire(const ModelBegin& message);
wire::StreamOffset to_wire(const StreamOffset& message);
wire::StreamEnd to_wire(const StreamEnd& message);
wire::StatusRequest to_wire(const StatusRequest& message);
wire::Status to_wire(const Status& message);
wire::Command to_wire(const Command& message);

Hello from_wire(const wire::Hello& from, FieldCheck& check);
Welcome from_wire(const wire::Welcome& from, FieldCheck& check);
Refusal from_wire(const wire::Refusal& from, FieldCheck& check);
Goodbye from_wire(const wire::Goodbye& from, FieldCheck& check);
Accepted from_wire(const wire::Accepted& from, FieldCheck& check);
Join from_wire(const wire::Join& from, FieldCheck& check);
JobOffer from_wire(const wire::JobOffer& from, FieldCheck& check);
Dispatch from_wire(const wire::Dispatch& from, FieldCheck& check);
Progress from_wire(const wire::Progress& from, FieldCheck& check);
Leave from_wire(const wire::Leave& from, FieldCheck& check);
UploadBegin from_wire(const wire::UploadBegin& from, FieldCheck& check);
UploadAck from_wire(const wire::UploadAck& from, FieldCheck& check);
ModelBegin from_wire(const wire::ModelBegin& from, FieldCheck& check);
StreamOffset from_wire(const wire::StreamOffset& from, FieldCheck& check);
StreamEnd from_wire(const wire::StreamEnd& from, FieldCheck& check);
StatusRequest from_wire(const wire::StatusRequest& from, FieldCheck& check);
Status from_wire(const wire::Status& from, FieldCheck& check);
Command from_wire(const wire::Command& from, FieldCheck& check);

}  // namespace convoy::net::internal
