"""The same network in PyTorch, for the comparisons: float32, loaded from an arbg checkpoint.

Written as one writes a fast PyTorch model: fused scaled_dot_product_attention, one matrix product for queries,
keys and values, no Python loop over positions in training. generate() is the other way round: it is the published code's
approach to sampling, a cache that torch.cat grows by one position a token.
"""
import json
import math
import struct

import numpy as np
import torch
import torch.nn.functional as F

TURNS = (1, 2, 4, 8)  # of the bin features


def read_safetensors(path):
    """(tensors by name, metadata) of a safetensors file of float32 tensors."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[begin:end], dtype=np.float32).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors, metadata


class RmsNorm(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(channels))

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, 1e-6)


class Attention(torch.nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.qkv = torch.nn.Linear(channels, 3 * channels, bias=False)
        self.out_proj = torch.nn.Linear(channels, channels, bias=False)

    def split(self, x):
        """[B, t, C] -> queries, keys, values [B, H, t, D]."""
        B, t, C = x.shape
        return self.qkv(x).view(B, t, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4).unbind(0)

    def join(self, y):
        return self.out_proj(y.transpose(1, 2).reshape(y.shape[0], y.shape[2], -1))

    def forward(self, x):
        q, k, v = self.split(x)
        return self.join(F.scaled_dot_product_attention(q, k, v, is_causal=True))

    def step(self, x, cache):
        """One position; `cache` is None or (keys, values) so far. Returns the result and the grown cache."""
        q, k, v = self.split(x)
        if cache is not None:
            k, v = torch.cat((cache[0], k), dim=2), torch.cat((cache[1], v), dim=2)
        return self.join(F.scaled_dot_product_attention(q, k, v)), (k, v)


class FeedForward(torch.nn.Module):
    def __init__(self, channels, hidden):
        super().__init__()
        self.w1 = torch.nn.Linear(channels, hidden, bias=False)
        self.w2 = torch.nn.Linear(channels, hidden, bias=False)
        self.w3 = torch.nn.Linear(hidden, channels)

    def forward(self, x):
        return self.w3(F.silu(self.w1(x)) * self.w2(x))


class Block(torch.nn.Module):
    def __init__(self, channels, heads, hidden):
        super().__init__()
        self.norm1, self.norm2 = RmsNorm(channels), RmsNorm(channels)
        self.attn = Attention(channels, heads)
        self.ff = FeedForward(channels, hidden)

    def forward(self, h):
        h = h + self.attn(self.norm1(h))
        return h + self.ff(self.norm2(h))

    def step(self, h, cache):
        y, cache = self.attn.step(self.norm1(h), cache)
        h = h + y
        return h + self.ff(self.norm2(h)), cache


class Network(torch.nn.Module):
    """Our demo network: learned positions, own start row, bin features, output bias."""

    def __init__(self, config):
        super().__init__()
        V, C, T = config["num_bins"], config["channels"], len(config["dim_index"])
        hidden = 2 * config["expansion"] * C // 3
        self.bins, self.length = V, T
        self.token_embed = torch.nn.Embedding(V + 1, C)
        self.coord_dim_embed = torch.nn.Embedding(config["input_dim"], C)
        self.atom_pos_embed = torch.nn.Embedding(config["num_atoms"], C)
        self.pos_embed = torch.nn.Parameter(torch.zeros(1, T, C))
        self.bin_features = torch.nn.Linear(C, 2 * len(TURNS), bias=False)  # weight [8, C]
        self.blocks = torch.nn.ModuleList(Block(C, config["num_heads"], hidden) for _ in range(config["num_layers"]))
        self.final_norm = RmsNorm(C)
        self.output_proj = torch.nn.Linear(C, V, bias=False)
        self.output_bias = torch.nn.Parameter(torch.zeros(T, V))
        self.register_buffer("dim_index", torch.tensor(config["dim_index"]))
        self.register_buffer("atom_index", torch.tensor(config["atom_index"]))
        angle = 2 * math.pi * (torch.arange(V, dtype=torch.float64)[:, None] + 0.5) / V * torch.tensor(TURNS)
        turns = torch.stack((angle.sin(), angle.cos()), dim=2).flatten(1)
        self.register_buffer("bin_turns", torch.cat((turns, torch.zeros(1, turns.shape[1]))).float())

    def token_table(self):
        return self.token_embed.weight + self.bin_turns @ self.bin_features.weight

    def position_rows(self):
        return self.pos_embed[0] + self.coord_dim_embed(self.dim_index) + self.atom_pos_embed(self.atom_index)

    def logits(self, tokens):
        start = torch.full_like(tokens[:, :1], self.bins)
        h = F.embedding(torch.cat((start, tokens[:, :-1]), dim=1), self.token_table()) + self.position_rows()
        for block in self.blocks:
            h = block(h)
        return self.output_proj(self.final_norm(h)) + self.output_bias

    def forward(self, tokens):
        """The loss: -log P per coordinate, averaged over the batch."""
        return F.cross_entropy(self.logits(tokens).flatten(0, 1), tokens.flatten())

    @torch.no_grad()
    def log_likelihood(self, tokens, rows=256):
        """sum_t log P of every row, summed in double."""
        parts = []
        for part in tokens.split(rows):
            log_p = self.logits(part).double().log_softmax(-1)
            parts.append(log_p.gather(2, part[:, :, None]).sum((1, 2)))
        return torch.cat(parts)

    @torch.inference_mode()
    def generate(self, count):
        """`count` rows of tokens and their log P, with keys and values grown by torch.cat."""
        table, places = self.token_table(), self.position_rows()
        previous = torch.full((count,), self.bins, device=table.device)
        caches = [None] * len(self.blocks)
        log_q = torch.zeros(count, dtype=torch.float64, device=table.device)
        tokens = []
        for t in range(self.length):
            h = (table[previous] + places[t])[:, None]
            for i, block in enumerate(self.blocks):
                h, caches[i] = block.step(h, caches[i])
            log_p = (self.output_proj(self.final_norm(h[:, 0])) + self.output_bias[t]).log_softmax(-1)
            previous = torch.multinomial(log_p.exp(), 1)[:, 0]
            log_q += log_p.gather(1, previous[:, None])[:, 0].double()
            tokens.append(previous)
        return torch.stack(tokens, dim=1), log_q


def load_network(path):
    """(network, bins' metadata) of an arbg checkpoint, with its last weights (not the average)."""
    tensors, metadata = read_safetensors(path)
    network = Network(json.loads(metadata["config"]))
    weights = {}
    for name in network.state_dict():
        if name in ("dim_index", "atom_index", "bin_turns"):
            continue
        ours = name.replace(".ff.w1", ".ff.net.0.w1").replace(".ff.w2", ".ff.net.0.w2").replace(".ff.w3", ".ff.net.2")
        weights[name] = tensors.pop(ours)
    left = [name for name in tensors if not name.startswith(("ema.", "adamw."))]
    if left:
        raise SystemExit(f"{path}: weights that the PyTorch network does not have: {left}")
    missing = network.load_state_dict(weights, strict=False).missing_keys
    assert set(missing) <= {"dim_index", "atom_index", "bin_turns"}, missing
    return network, json.loads(metadata["bins"])
