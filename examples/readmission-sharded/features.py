"""From the table of encounters to what a model sees, and to who is held out.

Every category is written down here rather than learned from the table. A vocabulary that is learned travels in the
model file, and a rare value in it points at the person who had it.
"""

import csv
import hashlib
import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np

TABLE = "data/encounters.csv"
MISSING = ("", "?")

# Deaths and hospice. These people cannot be readmitted; predicting that for them would only flatter the scores.
ENDED = ("11", "13", "14", "19", "20", "21")

# The only groups that a report can name, whatever stands in the table.
GENDERS = ["Female", "Male"]
RACES = ["AfricanAmerican", "Asian", "Caucasian", "Hispanic", "Other"]

COUNTS = ["time_in_hospital", "num_lab_procedures", "num_procedures", "num_medications"]
COUNTS += ["number_outpatient", "number_emergency", "number_inpatient", "number_diagnoses"]

# Column, then the values with a feature of their own. Any other value, missing ones too, is zero in all of them.
CATEGORIES = {
    "gender": GENDERS,
    "admission_type_id": ["1", "2", "3"],  # emergency, urgent, elective
    "discharge_disposition_id": ["1", "2", "3", "5", "6"],  # home, hospital, nursing, other inpatient, home care
    "admission_source_id": ["1", "4", "7"],  # physician, other hospital, emergency room
    "A1Cresult": ["Norm", ">7", ">8"],
    "max_glu_serum": ["Norm", ">200", ">300"],
    "insulin": ["Down", "Steady", "Up"],
    "metformin": ["Down", "Steady", "Up"],
    "change": ["Ch"],
    "diabetesMed": ["Yes"],
}

# ICD-9 codes from, to (exclusive), in the groups of Strack et al. 2014, table 2.
DIAGNOSES = {
    "circulatory": [(390, 460), (785, 786)],
    "respiratory": [(460, 520), (786, 787)],
    "digestive": [(520, 580), (787, 788)],
    "diabetes": [(250, 251)],
    "injury": [(800, 1000)],
    "musculoskeletal": [(710, 740)],
    "genitourinary": [(580, 630), (788, 789)],
    "neoplasms": [(140, 240)],
}

# Left out: who it is (encounter_id, patient_nbr); race, which is checked but not used; weight and payer_code, almost
# always missing; medical_specialty, which says more about the hospital than the patient; the other drugs, most of
# them hardly ever given.
NAMES = [*COUNTS, "age"]
NAMES += [f"{column}={value}" for column, values in CATEGORIES.items() for value in values]
NAMES += [f"{rank}={group}" for rank in ("first_diagnosis", "other_diagnoses") for group in DIAGNOSES]

COLUMNS = {*COUNTS, *CATEGORIES, "patient_nbr", "race", "age", "diag_1", "diag_2", "diag_3", "readmitted"}


class Encounters(NamedTuple):
    """One entry per encounter in each array, in the order of the table."""

    features: np.ndarray  # float32, a column for each of NAMES; NaN where a number is missing
    readmitted: np.ndarray  # bool: back in a hospital within 30 days
    patient: np.ndarray  # str; to split and to resample by, never a feature
    groups: dict[str, np.ndarray]  # gender, age and race in words, to compare people by

    def where(self, mask):
        groups = {name: values[mask] for name, values in self.groups.items()}
        return Encounters(self.features[mask], self.readmitted[mask], self.patient[mask], groups)

    def size(self):
        return {
            "encounters": len(self.patient),
            "patients": len(set(self.patient)),
            "readmitted": int(self.readmitted.sum()),
        }


def read(path=TABLE):
    """The encounters of people who could come back. A message names the line at fault and never what stands in it."""
    if not Path(path).exists():
        raise SystemExit(f"{path} is not there: README.md says how to put it there.")
    features, readmitted, patient, groups = [], [], [], []
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        try:
            if absent := COLUMNS - set(rows.fieldnames or ()):
                raise SystemExit(f"{path} has no column {', '.join(sorted(absent))}.")
            for row in rows:
                if None in row or None in row.values():
                    raise ValueError("a field too many or too few")
                if row["discharge_disposition_id"] in ENDED:
                    continue
                features.append(encode(row))
                groups.append(describe(row))
                # 30 days is what hospitals answer for, and what a discharge can still change. Any later return
                # is mostly the course of the illness.
                readmitted.append(row["readmitted"] == "<30")
                patient.append(row["patient_nbr"])
        except UnicodeDecodeError:
            raise SystemExit(f"{path} is not UTF-8 text.") from None
        except (ValueError, csv.Error):
            raise SystemExit(f"{path}:{rows.line_num}: a number, an age or a field is not as expected.") from None
    columns = zip(*groups, strict=True) if groups else ((), (), ())
    return Encounters(
        np.array(features, dtype=np.float32).reshape(-1, len(NAMES)),
        np.array(readmitted, dtype=bool),
        np.array(patient, dtype=str),
        {name: np.array(values, dtype=str) for name, values in zip(("gender", "age", "race"), columns, strict=True)},
    )


def encode(row):
    numbers = [number(row[column]) for column in COUNTS] + [middle_age(row["age"])]
    one_hot = [row[column] == value for column, values in CATEGORIES.items() for value in values]
    first, others = [row["diag_1"]], [row["diag_2"], row["diag_3"]]
    diagnoses = [in_group(codes, spans) for codes in (first, others) for spans in DIAGNOSES.values()]
    return [*numbers, *one_hot, *diagnoses]


def number(text):
    return float("nan") if text in MISSING else float(text)


def middle_age(band):
    """The middle of a band such as [70-80)."""
    if band in MISSING:
        return float("nan")
    low, high = band.strip("[)").split("-")
    return (float(low) + float(high)) / 2


def in_group(codes, spans):
    """Whether any code lies in any span. The V and E codes of ICD-9 are not numbers and lie in none."""
    values = [float(code) for code in codes if code[:1].isdigit()]
    return any(low <= value < high for value, (low, high) in itertools.product(values, spans))


def describe(row):
    age = middle_age(row["age"])
    band = "under-50" if age < 50 else "50-to-69" if age < 70 else "over-69" if age >= 70 else "unknown"
    return known(row["gender"], GENDERS), band, known(row["race"], RACES)


def known(value, values):
    return value if value in values else "unknown"


def split(encounters, seed, held_out):
    """Training and held-out encounters, patient by patient: a patient on both sides would be recognised, not predicted.

    A hash of the patient decides, so adding, sampling or erasing patients moves nobody else to the other side.
    """
    sides = {patient: fraction(f"{seed}:{patient}") < held_out for patient in set(encounters.patient)}
    held = np.array([sides[patient] for patient in encounters.patient], dtype=bool)
    parts = {"training": encounters.where(~held), "held-out": encounters.where(held)}
    for name, part in parts.items():
        if not 0 < part.readmitted.sum() < len(part.readmitted):
            raise SystemExit(
                f"Too few patients: the {name} part ({part.size()['patients']} of them) needs some who were readmitted "
                "within 30 days and some who were not. Take a larger sample."
            )
    return parts["training"], parts["held-out"]


def fraction(text):
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
