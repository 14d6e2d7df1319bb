#!/usr/bin/env python3
"""Makes tests/golden/network/options: small networks with every option, computed by PyTorch in double.

The formulas are written here from the definitions in nn/transformer_layers.h, with torch's own operations
(layer_norm, gelu, scaled_dot_product_attention, MultiheadAttention) and its gradients; nothing of the C++ is used.

    make_network_golden.py tests/golden/network/options        (made with PyTorch 2.15.0, CPU)
"""
import json
import math
import pathlib
import struct
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
V, C, H, N, LAYERS, B = 11, 16, 2, 4, 2, 3
T, D = 3 * N, C // H
CONDITIONING = {"hidden_dim": 12, "output_dim": C, "num_atom_emb": 9, "num_residue_emb": 7, "use_atom_pos_embed": True}

CASES = {
    "gelu-layernorm-learned": dict(use_swiglu=False, use_rms_norm=False, pos_embed_type="learned"),
    "cross": dict(use_cross_attention=True),
    "cross-normed-input-norm": dict(use_cross_attention=True, cross_attention_qk_norm=True, use_input_norm=True,
                                    add_cond_to_input=True, use_rms_norm=False, without_atom_index=True),
    "everything": dict(use_cross_attention=True, cross_attention_qk_norm=True, cross_attention_gate=True,
                       use_input_norm=True, add_cond_to_input=True, use_global_cond=True, use_swiglu=False,
                       use_rms_norm=False, pos_embed_type="learned", start_row="own", output_bias=True,
                       bin_features=True),
}


def write_safetensors(path, tensors, metadata=None):
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    names = {torch.float64: "F64", torch.int64: "I64", torch.bool: "BOOL"}
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def sinusoids(n, channels):
    rate = 10000.0 ** (-torch.arange(0, channels, 2) / channels)
    angle = n[..., None] * rate
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)


def shapes_of(o):
    shapes = {"token_embed.weight": (V + (o.get("start_row") == "own"), C), "coord_dim_embed.weight": (3, C),
              "atom_pos_embed.weight": (N, C)}

    def norm(name):
        shapes[name + ".weight"] = (C,)
        if not o.get("use_rms_norm", True):
            shapes[name + ".bias"] = (C,)

    if o.get("pos_embed_type") == "learned":
        shapes["pos_embed.weight"] = (T, C)
    if o.get("bin_features"):
        shapes["bin_features.weight"] = (8, C)
    if conditioned(o):
        c = conditioning_of(o)
        inner = c["hidden_dim"]
        shapes.update({"cond_embed.atom_embed.weight": (c["num_atom_emb"], inner),
                       "cond_embed.residue_embed.weight": (c["num_residue_emb"], inner),
                       "cond_embed.proj.0.weight": (inner, inner * (5 if c["use_atom_pos_embed"] else 4)),
                       "cond_embed.proj.0.bias": (inner,), "cond_embed.proj.2.weight": (C, inner),
                       "cond_embed.proj.2.bias": (C,)})
    if o.get("use_global_cond"):
        p = "global_cond_attn."
        shapes.update({p + "in_proj_weight": (3 * C, C), p + "in_proj_bias": (3 * C,), p + "out_proj.weight": (C, C),
                       p + "out_proj.bias": (C,)})
    if o.get("use_input_norm"):
        norm("input_norm")
    for i in range(LAYERS):
        b = f"blocks.{i}."
        norm(b + "norm1")
        norm(b + "norm2")
        shapes.update({b + "attn.qkv.weight": (3 * C, C), b + "attn.out_proj.weight": (C, C)})
        if o.get("use_cross_attention"):
            norm(b + "norm_cross")
            for name in "qkv":
                shapes[f"{b}cross_attn.{name}_proj.weight"] = (C, C)
            shapes[b + "cross_attn.out_proj.weight"] = (C, C)
            if o.get("cross_attention_qk_norm"):
                shapes.update({b + "cross_attn.q_norm.weight": (D,), b + "cross_attn.k_norm.weight": (D,)})
            if o.get("cross_attention_gate"):
                shapes[b + "cross_attn.gate"] = (1,)
        if o.get("use_swiglu", True):
            hidden = int(2 * 4 * C / 3)
            shapes.update({b + "ff.net.0.w1.weight": (hidden, C), b + "ff.net.0.w2.weight": (hidden, C)})
        else:
            hidden = 4 * C
            shapes.update({b + "ff.net.0.weight": (hidden, C), b + "ff.net.0.bias": (hidden,)})
        shapes.update({b + "ff.net.2.weight": (C, hidden), b + "ff.net.2.bias": (C,)})
    norm("final_norm")
    shapes["output_proj.weight"] = (V, C)
    if o.get("output_bias"):
        shapes["output_bias"] = (T, V)
    return shapes


def conditioned(o):
    return any(o.get(use) for use in ("use_cross_attention", "use_global_cond", "add_cond_to_input"))


def conditioning_of(o):
    return CONDITIONING | ({"use_atom_pos_embed": False} if o.get("without_atom_index") else {})


def heads(x):
    return x.unflatten(-1, (H, D)).transpose(1, 2)


def logits(w, o, batch):
    def norm(name, x):
        if o.get("use_rms_norm", True):
            return F.rms_norm(x, (C,), w[name + ".weight"], 1e-6)
        return F.layer_norm(x, (C,), w[name + ".weight"], w[name + ".bias"], 1e-5)

    def attend(q, k, v, **mask):
        return F.scaled_dot_product_attention(q, k, v, **mask).transpose(1, 2).flatten(-2)

    place = torch.arange(T)
    table = w["token_embed.weight"]
    if o.get("bin_features"):
        angle = 2 * math.pi * (torch.arange(V)[:, None] + 0.5) / V * torch.tensor([1, 2, 4, 8])
        turns = torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)
        table = table + F.pad(turns, (0, 0, 0, len(table) - V)) @ w["bin_features.weight"]
    start = V if o.get("start_row") == "own" else 0
    h = table[F.pad(batch["tokens"][:, :-1], (1, 0), value=start)]
    h = h + (w["pos_embed.weight"] if o.get("pos_embed_type") == "learned" else sinusoids(place, C))
    h = h + w["coord_dim_embed.weight"][place % 3] + w["atom_pos_embed.weight"][place // 3]
    mask = batch["mask"]
    if conditioned(o):
        inner = CONDITIONING["hidden_dim"]
        parts = [w["cond_embed.atom_embed.weight"][batch["atom_type"]],
                 w["cond_embed.residue_embed.weight"][batch["aa_type"]], sinusoids(batch["aa_pos"], inner),
                 sinusoids(batch["seq_len"], inner).expand(B, N, inner)]
        if conditioning_of(o)["use_atom_pos_embed"]:
            parts.append(sinusoids(torch.arange(N), inner).expand(B, N, inner))
        c = F.gelu(F.linear(torch.cat(parts, -1), w["cond_embed.proj.0.weight"], w["cond_embed.proj.0.bias"]))
        c = F.linear(c, w["cond_embed.proj.2.weight"], w["cond_embed.proj.2.bias"])
    if o.get("add_cond_to_input"):
        h = h + c[:, place // 3]
    if o.get("use_global_cond"):
        module = torch.nn.MultiheadAttention(C, H, batch_first=True)
        weights = {k.removeprefix("global_cond_attn."): v for k, v in w.items() if k.startswith("global_cond_attn.")}
        h = h + torch.func.functional_call(module, weights, (h, c, c), {"key_padding_mask": ~mask})[0]
    if o.get("use_input_norm"):
        h = norm("input_norm", h)
    for i in range(LAYERS):
        b = f"blocks.{i}."
        q, k, v = (heads(x) for x in F.linear(norm(b + "norm1", h), w[b + "attn.qkv.weight"]).chunk(3, -1))
        h = h + F.linear(attend(q, k, v, is_causal=True), w[b + "attn.out_proj.weight"])
        if o.get("use_cross_attention"):
            a = b + "cross_attn."
            q = heads(F.linear(norm(b + "norm_cross", h), w[a + "q_proj.weight"]))
            k, v = (heads(F.linear(c, w[f"{a}{name}_proj.weight"])) for name in "kv")
            if o.get("cross_attention_qk_norm"):
                q, k = (F.rms_norm(x, (D,), w[f"{a}{n}_norm.weight"], 1e-6) for x, n in ((q, "q"), (k, "k")))
            y = F.linear(attend(q, k, v, attn_mask=mask[:, None, None, :]), w[a + "out_proj.weight"])
            h = h + (torch.tanh(w[a + "gate"]) * y if o.get("cross_attention_gate") else y)
        n = norm(b + "norm2", h)
        if o.get("use_swiglu", True):
            n = F.silu(F.linear(n, w[b + "ff.net.0.w1.weight"])) * F.linear(n, w[b + "ff.net.0.w2.weight"])
        else:
            n = F.gelu(F.linear(n, w[b + "ff.net.0.weight"], w[b + "ff.net.0.bias"]))
        h = h + F.linear(n, w[b + "ff.net.2.weight"], w[b + "ff.net.2.bias"])
    y = F.linear(norm("final_norm", h), w["output_proj.weight"])
    return y + w["output_bias"] if o.get("output_bias") else y


def log_likelihood(w, o, batch):
    log_p = logits(w, o, batch).log_softmax(-1).gather(-1, batch["tokens"][..., None])[..., 0]
    return (log_p * batch["mask"].repeat_interleave(3, 1)).sum(1)


def loss(w, o, batch):
    return -(log_likelihood(w, o, batch) / (3 * batch["mask"].sum(1))).mean()


def orthogonalised(x):
    """Five Newton-Schulz steps as published, in double instead of bfloat16."""
    tall = x.shape[0] > x.shape[1]
    x = (x.T if tall else x) / (x.norm() + 1e-7)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if tall else x


def muon_steps(w, o, batch, lr=0.02, momentum=0.95, decay=0.01):
    """Three steps; vectors, and output_bias, which does not decay, by AdamW at a tenth of the rate."""
    w = {name: value.clone().requires_grad_() for name, value in w.items()}
    others = {name: value for name, value in w.items() if value.ndim < 2 or name == "output_bias"}
    adamw = torch.optim.AdamW([{"params": [v for k, v in others.items() if k != "output_bias"]},
                               {"params": [v for k, v in others.items() if k == "output_bias"], "weight_decay": 0}],
                              lr=0.1 * lr, weight_decay=decay)
    moments, losses = {}, []
    for _ in range(3):
        adamw.zero_grad()
        value = loss(w, o, batch)
        value.backward()
        losses.append(value.item())
        adamw.step()
        with torch.no_grad():
            for name, x in w.items():
                if name in others:
                    x.grad = None
                    continue
                m = moments.setdefault(name, torch.zeros_like(x))
                m.lerp_(x.grad, 1 - momentum)
                step = orthogonalised(x.grad.lerp(m, momentum)) * max(1, x.shape[0] / x.shape[1]) ** 0.5
                x.mul_(1 - lr * decay).sub_(lr * step)
                x.grad = None
    return w, losses


def make(name, options, folder):
    random = torch.Generator().manual_seed(1 + list(CASES).index(name))
    weights = {}
    for key, shape in shapes_of(options).items():
        centre = 1.0 if "norm" in key and key.endswith(".weight") else 0.0
        weights[key] = (centre + 0.3 * torch.randn(shape, generator=random)).float().double()

    def integers(below, *shape):
        return torch.randint(below, shape, generator=random)

    batch = {"tokens": integers(V, B, T), "mask": torch.arange(N) < torch.tensor([[2], [4], [3]])}
    batch |= {"atom_type": integers(9, B, N), "aa_type": integers(7, B, N), "aa_pos": integers(5, B, N),
              "seq_len": integers(5, B, 1) + 1}
    parameters = {key: value.clone().requires_grad_() for key, value in weights.items()}
    value = loss(parameters, options, batch)
    value.backward()
    with torch.no_grad():
        batch |= {"logits": logits(weights, options, batch), "log_likelihood": log_likelihood(weights, options, batch),
                  "loss": value.detach().reshape(1)}
    folder.mkdir(parents=True, exist_ok=True)
    network = {"num_bins": V, "channels": C, "num_layers": LAYERS, "num_heads": H}
    network |= {key: member for key, member in options.items() if key != "without_atom_index"}
    config = {"network": network, "conditioning": conditioning_of(options) if conditioned(options) else None,
              "num_atoms": N}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    write_safetensors(folder / "weights.safetensors", weights)
    write_safetensors(folder / "io.safetensors", batch)
    write_safetensors(folder / "gradients.safetensors", {key: p.grad for key, p in parameters.items()})
    if name == "everything":
        after, losses = muon_steps(weights, options, batch)
        write_safetensors(folder / "after_3_muon_steps.safetensors", after, {"losses": json.dumps(losses)})


if __name__ == "__main__":
    for case, case_options in CASES.items():
        make(case, case_options, pathlib.Path(sys.argv[1]) / case)
