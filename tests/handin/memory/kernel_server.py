"""Kernels by the dozen: one process imports what they need, once, and forks for each.

Reads jobs from standard input, a line of JSON each:

    {"root": folder, "variables": {…}, "requests": [code | {name: expression}, …], "memory": bool, "cores": n}

and answers each with a line of JSON: for every request the messages that the kernel sent and its reply; and
how many requests were answered from memory.
"""

import asyncio
import json
import os
import sys
import tempfile
import traceback

os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as ipykernel does, before matplotlib

import matplotlib.backends.backend_agg
import matplotlib.backends.backend_svg
import matplotlib.figure  # noqa: F401  # pyplot is left to the kernels: it turns the inline backend on
import safetensors.torch  # noqa: F401
import torch  # noqa: F401
from ipykernel.kernelapp import IPKernelApp

PATH = list(sys.path[1:])  # without this file's folder


async def run(kernel, requests):
    told, messages, answered = [], [], 0

    def send(stream, message, content=None, *arguments, **options):
        kind = message["msg_type"] if isinstance(message, dict) else message
        content = message["content"] if isinstance(message, dict) else content
        if kind == "stream" and messages and messages[-1][0] == kind:
            last = messages[-1][1]
            if last["name"] == content["name"]:  # how often it is flushed is a matter of time
                messages[-1][1] = {**last, "text": last["text"] + content["text"]}
                return message
        if kind != "status":
            messages.append([kind, content])
        return message

    kernel._send = send  # the memory listens before
    for request in requests:
        if isinstance(request, dict) and "edit" in request:
            exec(request["edit"])  # somebody edits a file meanwhile
            told.append([])
            continue
        code, expressions = (request, {}) if isinstance(request, str) else ("", request)
        reply = await kernel.do_execute(code, False, True, expressions, False)
        sys.stdout.flush()
        sys.stderr.flush()
        reply.pop("engine_info", None)
        told.append([list(messages), reply])
        messages.clear()
        answered = max(answered, len(getattr(kernel, "_answered", [])))
    return told, answered


def serve(job, answer):
    """In the child: be a kernel that is asked all this, and write what it says."""
    os.environ.clear()
    os.environ.update(job["variables"])
    os.chdir(job["root"])
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job["cores"]])
    sys.path[:] = ["", *os.environ["PYTHONPATH"].split(os.pathsep), *PATH]
    os.environ["HANDIN_MEMORY"] = str(int(job["memory"]))
    with tempfile.TemporaryDirectory() as folder:
        app = IPKernelApp.instance(connection_file=f"{folder}/kernel.json", transport="ipc", ip=f"{folder}/k")
        app.log_connection_info = lambda: None
        options = ["--HistoryManager.enabled=False", "--IPKernelApp.kernel_class=handin.memory.MemoryKernel"]
        app.initialize(options)
        told, answered = asyncio.run(run(app.kernel, job["requests"]))
    answer.write(json.dumps({"told": told, "answered": answered}, default=str))


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            try:
                with os.fdopen(writing, "w") as answer:
                    serve(json.loads(line), answer)
            except BaseException:
                sys.__stderr__.write(traceback.format_exc())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            answers.write(pipe.read() + "\n")
        os.waitpid(child, 0)
        answers.flush()


main()
