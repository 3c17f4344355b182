"""Writes ../targets.txt, the classes that a configuration of NeMo or Hydra may
call, from the sources of released wheels. Nothing of them is imported.

    python targets.py FOLDER      # with folders nemo-2.2.0/src, pl-2.4.0/src, …

A class is listed by the module that defines it and by the packages that import
it. Those whose name says that they load, download, save or run something are
left out, and so are functions but for those of torch listed here.
"""
import ast
import os
import re
import sys

REFUSED = re.compile(r"Loader$|Download|Export|Script|Server|Client|Launcher|Runner|Callback|Plugin|Cluster|CLI|Lambda|Executor|Parser|"
                     r"Partial|Checkpoint|Connector|Config$|Importer|Pickle|Logger|Experiment", re.I)
KEEP = ("nemo.collections", "nemo.core", "nemo.utils.", "pytorch_lightning.trainer")
TORCH = {
    "torch.optim": "SGD Adam AdamW Adamax NAdam RAdam RMSprop Adagrad Adadelta ASGD LBFGS Rprop SparseAdam Adafactor",
    "torch.optim.lr_scheduler": "StepLR MultiStepLR ExponentialLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR OneCycleLR "
                                "ReduceLROnPlateau ConstantLR LinearLR PolynomialLR SequentialLR",
    "torch.nn": "Identity Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d MaxPool1d MaxPool2d "
                "MaxPool3d AvgPool1d AvgPool2d AvgPool3d AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveMaxPool1d AdaptiveMaxPool2d "
                "BatchNorm1d BatchNorm2d BatchNorm3d GroupNorm LayerNorm InstanceNorm1d InstanceNorm2d RMSNorm Dropout Dropout1d "
                "Dropout2d Embedding EmbeddingBag LSTM GRU RNN LSTMCell GRUCell Transformer TransformerEncoder TransformerEncoderLayer "
                "TransformerDecoder TransformerDecoderLayer MultiheadAttention ReLU ReLU6 LeakyReLU PReLU ELU SELU CELU GELU SiLU Mish "
                "Sigmoid Tanh Softmax LogSoftmax Softplus Softsign Hardtanh Hardswish Hardsigmoid GLU Flatten Unflatten Upsample "
                "PixelShuffle ZeroPad2d ReflectionPad1d ReflectionPad2d Sequential ModuleList ModuleDict L1Loss MSELoss "
                "CrossEntropyLoss NLLLoss CTCLoss KLDivLoss BCELoss BCEWithLogitsLoss SmoothL1Loss HuberLoss MarginRankingLoss "
                "CosineEmbeddingLoss TripletMarginLoss HingeEmbeddingLoss GaussianNLLLoss PoissonNLLLoss",
    "torch.nn.functional": "relu gelu silu softmax tanh sigmoid elu leaky_relu mse_loss cross_entropy l1_loss",
    "torchvision.transforms": "Compose Resize CenterCrop RandomCrop RandomHorizontalFlip RandomVerticalFlip ToTensor Normalize "
                              "RandomResizedCrop ColorJitter Grayscale Pad RandomRotation",
    "torchmetrics": "Accuracy F1Score Precision Recall AUROC MeanSquaredError MeanAbsoluteError",
    "pytorch_lightning": "Trainer", "lightning": "Trainer", "lightning.pytorch": "Trainer",
    "lightning.pytorch.trainer": "Trainer", "builtins": "int float str bool list dict tuple set",
}

names, wheels = set(), []
for wheel in sorted(os.listdir(sys.argv[1])):
    if not wheel.startswith(("nemo-", "pl-")):
        continue
    wheels.append(wheel)
    src = os.path.join(sys.argv[1], wheel, "src")
    defined, imports = {}, []
    for folder, _, files in os.walk(src):
        for file in files:
            if not file.endswith(".py"):
                continue
            path = os.path.join(folder, file)
            module = os.path.relpath(path, src)[:-3].replace("/", ".").removesuffix(".__init__")
            if not module.startswith(KEEP):
                continue
            for node in ast.parse(open(path).read()).body:
                if isinstance(node, ast.ClassDef) and node.name[0] != "_" and not REFUSED.search(node.name):
                    defined.setdefault(module, set()).add(node.name)
                if isinstance(node, ast.ImportFrom) and file == "__init__.py" and node.module and not node.level:
                    imports += [(module, node.module, a.name, a.asname or a.name) for a in node.names]
    for _ in range(3):  # packages that import from packages
        for module, source, name, asname in imports:
            if name in defined.get(source, ()):
                defined.setdefault(module, set()).add(asname)
    names |= {f"{m}.{c}" for m, cs in defined.items() for c in cs}
names |= {f"{m}.{c}" for m, cs in TORCH.items() for c in cs.split()}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "targets.txt"), "w") as f:
    f.write("# Classes and functions that a configuration may name to be called. Made by testdata/targets.py from\n"
            f"# {' '.join(wheels)}; those of torch, torchvision and torchmetrics by hand.\n"
            "# Reason: parts of networks, losses, data sets and optimisers, which are made of numbers, names and each other.\n")
    f.write("\n".join(sorted(names)) + "\n")
