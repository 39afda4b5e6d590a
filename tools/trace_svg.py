#!/usr/bin/env python3
"""Draws a trace as a picture: trace_svg.py TRACE.json > PICTURE.svg

A row for each thread with its spans (phase X), and above the first of them what waits in the queue of the pool (phases b and e)."""
import json
import sys
from html import escape

WIDTH, LEFT, ROW, GAP, THIN = 960, 110, 22, 14, 4
COLORS = {"add up": "#4477aa", "work": "#99bbdd", "turn": "#dddddd", "wait": "#f4f4f4", "timer": "#ee7733", "port": "#228833"}

events = json.load(open(sys.argv[1]))["traceEvents"]
names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
spans = [e for e in events if e["ph"] == "X"]
queued, begun = [], {}
for event in sorted((e for e in events if e["ph"] in "be"), key=lambda e: e["ts"]):
    if event["ph"] == "b":
        begun[event["id"]] = event["ts"]
    elif event["id"] in begun:
        queued.append((begun.pop(event["id"]), event["ts"]))

first = min(e["ts"] for e in events if "ts" in e)
last = max(max(e["ts"] + e["dur"] for e in spans), max((end for _, end in queued), default=0))
scale = (WIDTH - LEFT - 10) / (last - first)


def x(ts):
    return LEFT + (ts - first) * scale


shapes, y = [], 10
if queued:
    shapes.append(f'<text x="4" y="{y + 10}">queued</text>')
    for index, (begin, end) in enumerate(queued):
        shapes.append(f'<rect x="{x(begin):.1f}" y="{y}" width="{(end - begin) * scale:.1f}" height="{THIN - 1}" fill="#ccbb44"/>')
        y += THIN
    y += GAP
for tid in sorted(names, key=lambda tid: (names[tid], tid)):
    mine = sorted((e for e in spans if e["tid"] == tid), key=lambda e: (e["ts"], -e["dur"]))
    shapes.append(f'<text x="4" y="{y + 15}">{escape(names[tid])}</text>')
    around = []
    for event in mine:
        while around and around[-1] <= event["ts"]:
            around.pop()
        inset = 3 * min(len(around), 3)
        around.append(event["ts"] + event["dur"])
        title = f'{event["name"]} {event["dur"]:.0f} us {json.dumps(event["args"])}'
        shapes.append(
            f'<rect x="{x(event["ts"]):.1f}" y="{y + inset}" width="{max(event["dur"] * scale, 0.5):.1f}" '
            f'height="{ROW - 2 * inset}" fill="{COLORS.get(event["name"], "#aa3377")}" stroke="#888" stroke-width="0.3">'
            f"<title>{escape(title)}</title></rect>"
        )
    y += ROW + GAP
for tick in range(6):
    at = first + (last - first) * tick / 5
    shapes.append(f'<text x="{x(at):.1f}" y="{y + 4}" text-anchor="{"end" if tick == 5 else "middle"}">{(at - first) / 1000:.1f} ms</text>')
print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 12}" font-family="sans-serif" font-size="11">')
print('<rect width="100%" height="100%" fill="white"/>', *shapes, "</svg>", sep="\n")
