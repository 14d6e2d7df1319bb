#!/usr/bin/env python3
"""Makes tests/golden/network/options: small networks with every option, computed by PyTorch in double.

The modules are written here from the definitions in nn/transformer/transformer_layers.h, of torch's own layers (RMSNorm, LayerNorm,
MultiheadAttention, scaled_dot_product_attention, GELU), and their state_dict has the names and shapes of published
files; nothing of the C++ is used. `published/model.ckpt` is such a network as a Lightning checkpoint.

    make_network_golden.py tests/golden/network/options        (made with PyTorch 2.15.0, CPU)
"""
import json
import math
import pathlib
import struct
import sys

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
V, C, H, N, B = 11, 8, 2, 4, 3
T = 3 * N
CONDITIONING = {"hidden_dim": 6, "output_dim": C, "num_atom_emb": 9, "num_residue_emb": 7, "use_atom_pos_embed": True}
CROSS = dict(use_cross_attention=True, cross_attention_qk_norm=True, cross_attention_gate=True)
PUBLISHED = CROSS | dict(num_layers=2, head_dim=3, pos_embed_type="learned", use_swiglu=False, use_input_norm=True,
                         add_cond_to_input=True, use_global_cond=True)

CASES = {
    "learned-positions": dict(pos_embed_type="learned"),
    "gelu": dict(use_swiglu=False),
    "input-norm": dict(use_input_norm=True),
    "head-dim": dict(head_dim=6),
    "cross": dict(use_cross_attention=True, head_dim=6),
    "cross-normed-gated": CROSS,
    "cross-layernorm": dict(use_cross_attention=True, use_input_norm=True, add_cond_to_input=True, use_rms_norm=False,
                            without_atom_index=True),
    "published": PUBLISHED,
    "everything": PUBLISHED | dict(use_rms_norm=False, start_row="own", output_bias=True, bin_features=True),
}


def sinusoids(n, channels):
    rate = 10000.0 ** (-torch.arange(0, channels, 2) / channels)
    angle = n[..., None] * rate
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)


def make_norm(o):
    return nn.RMSNorm(C, eps=1e-6) if o.get("use_rms_norm", True) else nn.LayerNorm(C, eps=1e-5)


def head_size(o):
    return o.get("head_dim", C // H)


def attend(q, k, v, **mask):
    """[B, T, H D] each; heads are neighbouring channels."""
    q, k, v = (x.unflatten(-1, (H, -1)).transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, **mask).transpose(1, 2).flatten(-2)


class SelfAttention(nn.Module):
    def __init__(self, o):
        super().__init__()
        width = H * head_size(o)
        self.qkv, self.out_proj = nn.Linear(C, 3 * width, bias=False), nn.Linear(width, C, bias=False)

    def forward(self, x):
        return self.out_proj(attend(*self.qkv(x).chunk(3, -1), is_causal=True))


class CrossAttention(nn.Module):
    def __init__(self, o):
        super().__init__()
        D = head_size(o)
        self.q_proj, self.kv_proj = nn.Linear(C, H * D, bias=False), nn.Linear(C, 2 * H * D, bias=False)
        self.out_proj = nn.Linear(H * D, C, bias=False)
        normed = o.get("cross_attention_qk_norm")
        self.q_norm, self.k_norm = ((nn.RMSNorm(D, eps=1e-6) if normed else None) for _ in "qk")

    def forward(self, x, c, mask):
        by_head = lambda x, norm: norm(x.unflatten(-1, (H, -1))).flatten(-2) if norm else x
        k, v = self.kv_proj(c).chunk(2, -1)
        q, k = by_head(self.q_proj(x), self.q_norm), by_head(k, self.k_norm)
        return self.out_proj(attend(q, k, v, attn_mask=mask[:, None, None, :]))


class SwiGLU(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.w1, self.w2 = nn.Linear(C, hidden, bias=False), nn.Linear(C, hidden, bias=False)

    def forward(self, x):
        return F.silu(self.w1(x)) * self.w2(x)


class FeedForward(nn.Module):
    def __init__(self, o):
        super().__init__()
        if o.get("use_swiglu", True):
            hidden = int(2 * 4 * C / 3)
            self.net = nn.Sequential(SwiGLU(hidden), nn.Dropout(0), nn.Linear(hidden, C))
        else:
            self.net = nn.Sequential(nn.Linear(C, 4 * C), nn.GELU(), nn.Dropout(0), nn.Linear(4 * C, C))

    def forward(self, x):
        return self.net(x)


class Block(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.norm1, self.norm2 = make_norm(o), make_norm(o)
        self.attn, self.ff = SelfAttention(o), FeedForward(o)
        if o.get("use_cross_attention"):
            self.norm_cross, self.cross_attn = make_norm(o), CrossAttention(o)
            self.cross_attn_gate = nn.Parameter(torch.zeros(1)) if o.get("cross_attention_gate") else None

    def forward(self, h, c, mask):
        h = h + self.attn(self.norm1(h))
        if hasattr(self, "cross_attn"):
            y = self.cross_attn(self.norm_cross(h), c, mask)
            h = h + (y if self.cross_attn_gate is None else torch.tanh(self.cross_attn_gate) * y)
        return h + self.ff(self.norm2(h))


class Conditioning(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.with_atom_index = not o.get("without_atom_index")
        inner = CONDITIONING["hidden_dim"]
        self.atom_embed = nn.Embedding(CONDITIONING["num_atom_emb"], inner)
        self.residue_embed = nn.Embedding(CONDITIONING["num_residue_emb"], inner)
        self.proj = nn.Sequential(nn.Linear(inner * (4 + self.with_atom_index), inner), nn.GELU(), nn.Linear(inner, C))

    def forward(self, batch):
        inner = CONDITIONING["hidden_dim"]
        parts = [self.atom_embed(batch["atom_type"]), self.residue_embed(batch["aa_type"]),
                 sinusoids(batch["aa_pos"], inner), sinusoids(batch["seq_len"], inner).expand(B, N, inner)]
        if self.with_atom_index:
            parts.append(sinusoids(torch.arange(N), inner).expand(B, N, inner))
        return self.proj(torch.cat(parts, -1))


class Network(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o = o
        self.start = V if o.get("start_row") == "own" else 0
        self.token_embed = nn.Embedding(V + (self.start > 0), C)
        self.coord_dim_embed, self.atom_pos_embed = nn.Embedding(3, C), nn.Embedding(N, C)
        self.pos_embed = nn.Parameter(torch.zeros(1, T, C)) if o.get("pos_embed_type") == "learned" else None
        self.bin_features = nn.Linear(C, 8, bias=False) if o.get("bin_features") else None
        self.cond_embed = Conditioning(o) if conditioned(o) else None
        self.global_cond_attn = nn.MultiheadAttention(C, H, batch_first=True) if o.get("use_global_cond") else None
        self.input_norm = make_norm(o) if o.get("use_input_norm") else None
        self.blocks = nn.ModuleList(Block(o) for _ in range(o.get("num_layers", 1)))
        self.final_norm, self.output_proj = make_norm(o), nn.Linear(C, V, bias=False)
        self.output_bias = nn.Parameter(torch.zeros(T, V)) if o.get("output_bias") else None

    def token_table(self):
        table = self.token_embed.weight
        if self.bin_features is None:
            return table
        angle = 2 * math.pi * (torch.arange(V)[:, None] + 0.5) / V * torch.tensor([1, 2, 4, 8])
        turns = torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)
        return table + F.pad(turns, (0, 0, 0, len(table) - V)) @ self.bin_features.weight

    def forward(self, batch):
        place, mask = torch.arange(T), batch["mask"]
        h = self.token_table()[F.pad(batch["tokens"][:, :-1], (1, 0), value=self.start)]
        h = h + (sinusoids(place, C) if self.pos_embed is None else self.pos_embed)
        h = h + self.coord_dim_embed(place % 3) + self.atom_pos_embed(place // 3)
        c = self.cond_embed(batch) if self.cond_embed else None
        if self.o.get("add_cond_to_input"):
            h = h + c[:, place // 3]
        if self.global_cond_attn:
            h = h + self.global_cond_attn(h, c, c, key_padding_mask=~mask)[0]
        if self.input_norm:
            h = self.input_norm(h)
        for block in self.blocks:
            h = block(h, c, mask)
        y = self.output_proj(self.final_norm(h))
        return y if self.output_bias is None else y + self.output_bias

    def log_likelihood(self, batch):
        log_p = self(batch).log_softmax(-1).gather(-1, batch["tokens"][..., None])[..., 0]
        return (log_p * batch["mask"].repeat_interleave(3, 1)).sum(1)

    def loss(self, batch):
        return -(self.log_likelihood(batch) / (3 * batch["mask"].sum(1))).mean()


def conditioned(o):
    return any(o.get(use) for use in ("use_cross_attention", "use_global_cond", "add_cond_to_input"))


def adamw(parameters, rate):
    """Of all that it is given; output_bias does not decay."""
    groups = [{"params": [v for k, v in parameters.items() if k != "output_bias"]},
              {"params": [v for k, v in parameters.items() if k == "output_bias"], "weight_decay": 0}]
    return torch.optim.AdamW(groups, lr=rate, weight_decay=0.01)


def orthogonalised(x):
    """Five Newton-Schulz steps as published, in double instead of bfloat16. x [..., rows, columns]."""
    tall = x.shape[-2] > x.shape[-1]
    x = (x.mT if tall else x) / (x.norm() + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.mT if tall else x


class Muon:
    """Vectors, and output_bias, which does not decay, by AdamW at a tenth of the rate."""

    def __init__(self, parameters, rate=0.02, momentum=0.95, decay=0.01):
        others = {k: v for k, v in parameters.items() if v.ndim < 2 or k == "output_bias"}
        self.matrices = [v for k, v in parameters.items() if k not in others]
        self.moments = [torch.zeros_like(x) for x in self.matrices]
        self.others = adamw(others, 0.1 * rate)
        self.rate, self.momentum, self.decay = rate, momentum, decay

    @torch.no_grad()
    def step(self):
        self.others.step()
        for x, m in zip(self.matrices, self.moments):
            m.lerp_(x.grad, 1 - self.momentum)
            step = orthogonalised(x.grad.lerp(m, self.momentum)) * max(1, x.shape[-2] / x.shape[-1]) ** 0.5
            x.mul_(1 - self.rate * self.decay).sub_(self.rate * step)


def three_steps(network, make_optimizer, batch):
    """(weights, losses before each step)"""
    optimizer = make_optimizer(dict(network.named_parameters()))
    losses = []
    for _ in range(3):
        network.zero_grad()
        value = network.loss(batch)
        value.backward()
        losses.append(value.item())
        optimizer.step()
    return network.state_dict(), losses


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


def make(name, options, folder):
    random = torch.Generator().manual_seed(1 + list(CASES).index(name))
    network = Network(options)
    weights = {}
    for key, value in network.state_dict().items():
        centre = 1.0 if "norm" in key and key.endswith(".weight") else 0.0
        weights[key] = (centre + 0.4 * torch.randn(value.shape, generator=random)).float().double()

    def fresh():
        network.load_state_dict(weights)
        network.zero_grad()
        return network

    def integers(below, *shape):
        return torch.randint(below, shape, generator=random)

    batch = {"tokens": integers(V, B, T), "mask": torch.arange(N) < torch.tensor([[2], [4], [3]])}
    batch |= {"atom_type": integers(9, B, N), "aa_type": integers(7, B, N), "aa_pos": integers(5, B, N),
              "seq_len": integers(5, B, 1) + 1}
    value = fresh().loss(batch)
    value.backward()
    gradients = {key: parameter.grad.clone() for key, parameter in network.named_parameters()}
    with torch.no_grad():
        results = {"logits": network(batch), "log_likelihood": network.log_likelihood(batch),
                   "loss": value.detach().reshape(1)}
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {"num_bins": V, "channels": C, "num_layers": 1, "num_heads": H}
    members = sizes | {key: member for key, member in options.items() if key != "without_atom_index"}
    conditioning = CONDITIONING | ({"use_atom_pos_embed": False} if options.get("without_atom_index") else {})
    config = {"network": members, "conditioning": conditioning if conditioned(options) else None, "num_atoms": N}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    write_safetensors(folder / "weights.safetensors", weights)
    write_safetensors(folder / "io.safetensors", batch | results)
    write_safetensors(folder / "gradients.safetensors", gradients)
    for kind, optimizer in (("adamw", lambda parameters: adamw(parameters, 5e-4)), ("muon", Muon)):
        after, losses = three_steps(fresh(), optimizer, batch)
        write_safetensors(folder / f"after_3_{kind}_steps.safetensors", after, {"losses": json.dumps(losses)})
    if name == "published":
        state = {"net." + key: value.float() for key, value in weights.items()}
        torch.save({"epoch": 1, "pytorch-lightning_version": "2.5.0", "state_dict": state,
                    "hyper_parameters": {"net": members | {"_target_": "ArTransformer"}, "cond": conditioning}},
                   folder / "model.ckpt")


if __name__ == "__main__":
    for case, case_options in CASES.items():
        make(case, case_options, pathlib.Path(sys.argv[1]) / case)
