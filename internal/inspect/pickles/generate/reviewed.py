#!/usr/bin/env python3
"""Writes ../reviewed/*.txt: names that a reviewer has read, with contracts.

    python3 reviewed.py

A block is "module contract: names"; blocks of one file share its head. The
output is sorted, one name a line, as the program searches it.
"""
import pathlib

FILES = {
    "python": ("Python 3.6 to 3.14 and 2.7", "the standard library's own documentation and sources",
               "types and constructors of plain values, which run no code of the file", """
builtins value: int float bool str list dict tuple object type NotImplemented Ellipsis
  round sum min max len abs any all sorted zip enumerate repr id hash isinstance divmod ord chr
builtins getattr!: getattr
builtins plain(/l): set frozenset
builtins plain(/ppp): slice range complex
builtins bytearray!: bytearray
builtins bytes(/Bs): bytes
collections ordereddict|ordereddict!: OrderedDict
collections defaultdict!: defaultdict
collections items(/p): Counter
collections items(/pp): deque
collections class: UserDict UserList
_codecs encode!: encode
copyreg reconstructor!: _reconstructor
functools partial!: partial
datetime plain(/pxxxxxxx): datetime date time timedelta
datetime plain(/pp): timezone
decimal plain(p): Decimal
fractions plain(p/p): Fraction
uuid class:slots: UUID
uuid enum: SafeUUID
argparse class: Namespace
types class: SimpleNamespace
pathlib plain(/pppppppppppppppp): PosixPath WindowsPath PurePosixPath PureWindowsPath Path PurePath
pathlib._local plain(/pppppppppppppppp): PosixPath WindowsPath PurePosixPath PureWindowsPath
re plain(p/i): _compile
re enum: RegexFlag
typing value: Any Optional Union List Dict Tuple Callable
string value: punctuation
math value: sqrt log exp sin cos tan floor ceil pow log10 log2 fabs tanh inf nan
operator value: add sub mul truediv neg lt le eq ne gt ge and_ or_
_operator value: add sub mul truediv neg lt le eq ne gt ge and_ or_
random object(/p): Random
_random object(/p): Random
zoneinfo zone: ZoneInfo
zoneinfo plain(si): ZoneInfo._unpickle
dill._dill typename!: _load_type
dill.dill typename!: _load_type
itertools object(/ii): count
""" ),
    "numpy": ("numpy 1.16 to 2.4", "numpy/core, numpy/_core, numpy/random and numpy/ma of these versions",
              "arrays, scalars, generators and types; reconstructors are held to what numpy's own __reduce__ writes", """
numpy dtype!: dtype
numpy ndarray: ndarray matrix recarray memmap
numpy.core.memmap ndarray: memmap
numpy._core.memmap ndarray: memmap
numpy.matrixlib.defmatrix ndarray: matrix
numpy.core.records ndarray: recarray
numpy.rec ndarray: recarray
numpy value: bool_ bool int8 int16 int32 int64 intc intp int_ longlong uint8 uint16 uint32 uint64 uintc uintp uint ulonglong float16 float32 float64 float_
  longdouble float128 half single double complex64 complex128 complex_ clongdouble str_ unicode_ bytes_ string_ object_ void datetime64 timedelta64 number
  integer floating inexact signedinteger unsignedinteger generic character flexible complexfloating
  mean median sum prod std var min max amin amax nanmean nanmedian nanstd nanvar nanmin nanmax nansum percentile quantile average
  argmax argmin sort unique cumsum cumprod diff dot clip round around ptp size count_nonzero any all
  sqrt cbrt square exp expm1 exp2 log log1p log2 log10 abs absolute fabs sign reciprocal sin cos tan arcsin arccos arctan sinh cosh tanh arctanh arcsinh arccosh
  maximum minimum add subtract multiply divide true_divide floor_divide power negative isnan isinf isfinite floor ceil rint trunc logaddexp hypot
  log1p zeros ones empty eye identity ravel squeeze transpose reshape concatenate stack vstack hstack nan_to_num corrcoef histogram where array asarray
numpy.core.multiarray reconstruct!: _reconstruct
numpy._core.multiarray reconstruct!: _reconstruct
numpy.core.multiarray plain(dB): scalar
numpy._core.multiarray plain(dB): scalar
numpy.core.numeric frombuffer!: _frombuffer
numpy._core.numeric frombuffer!: _frombuffer
numpy.core ufunc!: _ufunc_reconstruct
numpy._core ufunc!: _ufunc_reconstruct
numpy.core._multiarray_umath value: sqrt cbrt square exp expm1 exp2 log log1p log2 log10 absolute fabs sign reciprocal sin cos tan arcsin arccos arctan sinh cosh tanh
  arctanh arcsinh arccosh maximum minimum add subtract multiply divide true_divide floor_divide power negative isnan isinf isfinite floor ceil rint trunc logaddexp hypot
numpy._core._multiarray_umath value: sqrt cbrt square exp expm1 exp2 log log1p log2 log10 absolute fabs sign reciprocal sin cos tan arcsin arccos arctan sinh cosh tanh
  arctanh arcsinh arccosh maximum minimum add subtract multiply divide true_divide floor_divide power negative isnan isinf isfinite floor ceil rint trunc logaddexp hypot
numpy.core.fromnumeric value: mean sum prod std var amin amax min max argmax argmin sort cumsum size any all clip ptp round_ around
numpy._core.fromnumeric value: mean sum prod std var amin amax min max argmax argmin sort cumsum size any all clip ptp round_ around
numpy.lib.function_base value: median percentile quantile average diff
numpy.lib._function_base_impl value: median percentile quantile average diff
numpy.lib.nanfunctions value: nanmean nanmedian nanstd nanvar nanmin nanmax nansum nanpercentile
numpy.lib._nanfunctions_impl value: nanmean nanmedian nanstd nanvar nanmin nanmax nansum nanpercentile
numpy.ma.core object(ccpB): _mareconstruct
numpy.ma.core ndarray: MaskedArray
numpy.ma ndarray: MaskedArray
numpy.random value: RandomState Generator
numpy.random.mtrand value: RandomState
numpy.random._pickle generator!: __randomstate_ctor __generator_ctor
numpy.random._pickle bitgen!: __bit_generator_ctor
numpy.random._mt19937 value: MT19937
numpy.random._pcg64 value: PCG64 PCG64DXSM
numpy.random._philox value: Philox
numpy.random._sfc64 value: SFC64
numpy.random.mtrand object(): __randomstate_ctor
numpy.random object(): __RandomState_ctor
numpy.random.bit_generator class:slots: SeedSequence
numpy.random.bit_generator object(cip): __pyx_unpickle_SeedSequence
"""),
    "joblib": ("joblib 0.8 to 1.5", "joblib/numpy_pickle.py and numpy_pickle_compat.py of these versions",
               "stand for arrays; the files that old ones open must lie beside", """
joblib.numpy_pickle wrapper: NumpyArrayWrapper
joblib.numpy_pickle_compat wrapper: NDArrayWrapper ZNDArrayWrapper
joblib.numpy_pickle wrapper: NDArrayWrapper ZNDArrayWrapper
"""),
    "sklearn": ("scikit-learn 0.19 to 1.8", "the Cython sources of these versions: __reduce__ and __setstate__",
                "compiled classes that keep numbers and arrays", """
sklearn.ensemble._hist_gradient_boosting.predictor class:state: TreePredictor
sklearn.isotonic class:state: IsotonicRegression
sklearn.manifold._classical_mds class:state: ClassicalMDS
sklearn.tree._tree object(ixi): Tree
sklearn.neighbors._kd_tree object(c): newObj
sklearn.neighbors._ball_tree object(c): newObj
sklearn.neighbors.kd_tree object(c): newObj
sklearn.neighbors.ball_tree object(c): newObj
sklearn.neighbors._kd_tree class:state: KDTree KDTree32 KDTree64 BinaryTree
sklearn.neighbors._ball_tree class:state: BallTree BallTree32 BallTree64 BinaryTree
sklearn.neighbors.kd_tree class:state: KDTree BinaryTree
sklearn.neighbors.ball_tree class:state: BallTree BinaryTree
sklearn.neighbors._dist_metrics object(c): newObj
sklearn.neighbors.dist_metrics object(c): newObj
sklearn.metrics._dist_metrics object(c): newObj
sklearn.metrics._dist_metrics class:state: EuclideanDistance SEuclideanDistance ManhattanDistance ChebyshevDistance MinkowskiDistance WMinkowskiDistance MahalanobisDistance HammingDistance CanberraDistance BrayCurtisDistance JaccardDistance MatchingDistance DiceDistance KulsinskiDistance RogersTanimotoDistance RussellRaoDistance SokalMichenerDistance SokalSneathDistance HaversineDistance DistanceMetric EuclideanDistance64 SEuclideanDistance64 ManhattanDistance64 ChebyshevDistance64 MinkowskiDistance64 WMinkowskiDistance64 MahalanobisDistance64 HammingDistance64 CanberraDistance64 BrayCurtisDistance64 JaccardDistance64 MatchingDistance64 DiceDistance64 KulsinskiDistance64 RogersTanimotoDistance64 RussellRaoDistance64 SokalMichenerDistance64 SokalSneathDistance64 HaversineDistance64 DistanceMetric64 EuclideanDistance32 SEuclideanDistance32 ManhattanDistance32 ChebyshevDistance32 MinkowskiDistance32 WMinkowskiDistance32 MahalanobisDistance32 HammingDistance32 CanberraDistance32 BrayCurtisDistance32 JaccardDistance32 MatchingDistance32 DiceDistance32 KulsinskiDistance32 RogersTanimotoDistance32 RussellRaoDistance32 SokalMichenerDistance32 SokalSneathDistance32 HaversineDistance32 DistanceMetric32
sklearn.neighbors._dist_metrics class:state: EuclideanDistance SEuclideanDistance ManhattanDistance ChebyshevDistance MinkowskiDistance WMinkowskiDistance MahalanobisDistance HammingDistance CanberraDistance BrayCurtisDistance JaccardDistance MatchingDistance DiceDistance KulsinskiDistance RogersTanimotoDistance RussellRaoDistance SokalMichenerDistance SokalSneathDistance HaversineDistance DistanceMetric
sklearn.neighbors.dist_metrics class:state: EuclideanDistance SEuclideanDistance ManhattanDistance ChebyshevDistance MinkowskiDistance WMinkowskiDistance MahalanobisDistance HammingDistance CanberraDistance BrayCurtisDistance JaccardDistance MatchingDistance DiceDistance KulsinskiDistance RogersTanimotoDistance RussellRaoDistance SokalMichenerDistance SokalSneathDistance HaversineDistance DistanceMetric
sklearn.linear_model._sgd_fast plain(/f): Hinge SquaredHinge Log Huber EpsilonInsensitive SquaredEpsilonInsensitive ModifiedHuber SquaredLoss
sklearn.linear_model.sgd_fast plain(/f): Hinge SquaredHinge Log Huber EpsilonInsensitive SquaredEpsilonInsensitive ModifiedHuber SquaredLoss
sklearn._loss._loss class|object(/fff): CyHalfSquaredError CyAbsoluteError CyPinballLoss CyHuberLoss CyHalfPoissonLoss CyHalfGammaLoss CyHalfTweedieLoss
  CyHalfTweedieLossIdentity CyHalfBinomialLoss CyHalfMultinomialLoss CyExponentialLoss
sklearn._loss._loss object(cip): __pyx_unpickle_CyHalfSquaredError __pyx_unpickle_CyAbsoluteError __pyx_unpickle_CyHalfPoissonLoss __pyx_unpickle_CyHalfGammaLoss
  __pyx_unpickle_CyHalfTweedieLoss __pyx_unpickle_CyHalfTweedieLossIdentity __pyx_unpickle_CyHalfBinomialLoss __pyx_unpickle_CyHalfMultinomialLoss
  __pyx_unpickle_CyExponentialLoss __pyx_unpickle_CyPinballLoss __pyx_unpickle_CyHuberLoss __pyx_unpickle_CyLossFunction
_loss class|object(/fff): CyHalfSquaredError CyAbsoluteError CyPinballLoss CyHuberLoss CyHalfPoissonLoss CyHalfGammaLoss CyHalfTweedieLoss
  CyHalfTweedieLossIdentity CyHalfBinomialLoss CyHalfMultinomialLoss CyExponentialLoss
_loss object(cip): __pyx_unpickle_CyHalfSquaredError __pyx_unpickle_CyAbsoluteError __pyx_unpickle_CyHalfPoissonLoss __pyx_unpickle_CyHalfGammaLoss
  __pyx_unpickle_CyHalfTweedieLoss __pyx_unpickle_CyHalfTweedieLossIdentity __pyx_unpickle_CyHalfBinomialLoss __pyx_unpickle_CyHalfMultinomialLoss
  __pyx_unpickle_CyExponentialLoss __pyx_unpickle_CyPinballLoss __pyx_unpickle_CyHuberLoss __pyx_unpickle_CyLossFunction
sklearn.cluster._kmeans value: _kmeans_single_lloyd _kmeans_single_elkan lloyd_iter_chunked_dense elkan_iter_chunked_dense
sklearn.metrics._classification value: accuracy_score balanced_accuracy_score f1_score precision_score recall_score log_loss jaccard_score matthews_corrcoef
  cohen_kappa_score brier_score_loss fbeta_score zero_one_loss hamming_loss hinge_loss
sklearn.metrics._regression value: mean_squared_error mean_absolute_error r2_score median_absolute_error explained_variance_score max_error root_mean_squared_error
  mean_squared_log_error mean_absolute_percentage_error mean_poisson_deviance mean_gamma_deviance mean_tweedie_deviance mean_pinball_loss
sklearn.metrics._ranking value: roc_auc_score average_precision_score top_k_accuracy_score ndcg_score dcg_score
sklearn.metrics.classification value: accuracy_score f1_score precision_score recall_score log_loss
sklearn.metrics.regression value: mean_squared_error mean_absolute_error r2_score
sklearn.metrics.ranking value: roc_auc_score average_precision_score
sklearn.metrics.pairwise value: rbf_kernel linear_kernel polynomial_kernel sigmoid_kernel cosine_similarity euclidean_distances laplacian_kernel chi2_kernel manhattan_distances
  cosine_distances haversine_distances
sklearn.feature_selection._univariate_selection value: f_classif f_regression chi2 f_oneway r_regression
sklearn.feature_selection._mutual_info value: mutual_info_classif mutual_info_regression
sklearn.feature_selection.univariate_selection value: f_classif f_regression chi2 f_oneway
sklearn.feature_selection.mutual_info_ value: mutual_info_classif mutual_info_regression
sklearn.feature_extraction.text value: strip_accents_ascii strip_accents_unicode strip_tags
sklearn.compose._column_transformer class: make_column_selector
sklearn.utils dict:state: Bunch
sklearn.covariance._empirical_covariance value: empirical_covariance
sklearn.decomposition._fastica value: _logcosh _exp _cube
sklearn.decomposition.fastica_ value: _logcosh _exp _cube
"""),
    "scipy": ("scipy 1.2 to 1.16", "the sources of these versions",
              "compiled classes and functions that compute", """
scipy.stats._continuous_distns class:scipy: alpha_gen anglit_gen arcsine_gen argus_gen beta_gen betaprime_gen bradford_gen burr12_gen burr_gen cauchy_gen chi2_gen chi_gen cosine_gen crystalball_gen dgamma_gen dpareto_lognorm_gen dweibull_gen erlang_gen expon_gen exponnorm_gen exponpow_gen exponweib_gen f_gen fatiguelife_gen fisk_gen foldcauchy_gen foldnorm_gen gamma_gen gausshyper_gen genexpon_gen genextreme_gen gengamma_gen genhalflogistic_gen genhyperbolic_gen geninvgauss_gen genlogistic_gen gennorm_gen genpareto_gen gibrat_gen gilbrat_gen gompertz_gen gumbel_l_gen gumbel_r_gen halfcauchy_gen halfgennorm_gen halflogistic_gen halfnorm_gen hypsecant_gen invgamma_gen invgauss_gen invweibull_gen irwinhall_gen jf_skew_t_gen johnsonsb_gen johnsonsu_gen kappa3_gen kappa4_gen ksone_gen kstwo_gen kstwobign_gen landau_gen laplace_asymmetric_gen laplace_gen levy_gen levy_l_gen levy_stable_gen loggamma_gen logistic_gen loglaplace_gen lognorm_gen lomax_gen maxwell_gen mielke_gen moyal_gen nakagami_gen ncf_gen nct_gen ncx2_gen norm_gen norminvgauss_gen pareto_gen pearson3_gen powerlaw_gen powerlognorm_gen powernorm_gen rayleigh_gen rdist_gen recipinvgauss_gen reciprocal_gen rel_breitwigner_gen rice_gen semicircular_gen skew_norm_gen skewcauchy_gen skewnorm_gen studentized_range_gen t_gen trapezoid_gen triang_gen truncexpon_gen truncnorm_gen truncpareto_gen truncweibull_min_gen tukeylambda_gen uniform_gen vonmises_gen wald_gen weibull_max_gen weibull_min_gen wrapcauchy_gen
scipy.stats._discrete_distns class:scipy: _nchypergeom_gen bernoulli_gen betabinom_gen betanbinom_gen binom_gen boltzmann_gen dlaplace_gen geom_gen hypergeom_gen logser_gen nbinom_gen nchypergeom_fisher_gen nchypergeom_wallenius_gen nhypergeom_gen planck_gen poisson_binom_gen poisson_gen randint_gen skellam_gen yulesimon_gen zipf_gen zipfian_gen
scipy._lib.array_api_compat.numpy._aliases value: asarray
scipy.special._ufuncs value: expit logit erf gammaln digamma gamma psi beta log1p
scipy.special value: expit logit erf
scipy.spatial.ckdtree class:state: cKDTree
scipy.spatial._ckdtree class:state: cKDTree
scipy.stats.stats value: pearsonr spearmanr f_oneway
scipy.stats._stats_py value: pearsonr spearmanr f_oneway
scipy.spatial.distance value: euclidean cosine cityblock jaccard correlation hamming minkowski
"""),
    "pandas": ("pandas 0.20 to 2.3", "pandas/_libs, pandas/compat and pandas/core of these versions",
               "tables, indexes and times; reconstructors are held to what pandas's own __reduce__ writes", """
pandas class:state: DataFrame Series
pandas class: Index RangeIndex MultiIndex DatetimeIndex TimedeltaIndex PeriodIndex IntervalIndex CategoricalIndex Flags
pandas class:state: Categorical CategoricalDtype DatetimeTZDtype IntervalDtype SparseDtype ArrowDtype Int8Dtype Int16Dtype Int32Dtype Int64Dtype
  UInt8Dtype UInt16Dtype UInt32Dtype UInt64Dtype Float32Dtype Float64Dtype BooleanDtype
pandas class:state|plain(/xw): StringDtype
pandas class:state|plain(x): PeriodDtype
pandas class:state|object(/xxxx): Period
pandas value: NA NaT
pandas plain(pxx/xx): Timestamp
pandas plain(p/p): Timedelta
pandas plain(xxp): Interval
pandas.arrays class:state: IntegerArray FloatingArray BooleanArray StringArray IntervalArray PeriodArray DatetimeArray TimedeltaArray SparseArray NumpyExtensionArray ArrowStringArray Categorical
pandas.tseries.offsets class:state|object(/xxxxxxxx): Day Hour Minute Second Milli Micro Nano BusinessDay MonthEnd MonthBegin QuarterEnd QuarterBegin YearEnd YearBegin Week DateOffset
pandas.core.indexes.base index!: _new_Index
pandas.core.indexes.datetimes index!: _new_DatetimeIndex
pandas.core.indexes.period index!: _new_PeriodIndex
pandas.indexes.base index!: _new_Index
pandas.core.indexes.base class: Index
pandas.core.indexes.range class: RangeIndex
pandas.core.indexes.multi class: MultiIndex
pandas.core.indexes.numeric class: Int64Index Float64Index UInt64Index NumericIndex IntegerIndex
pandas.core.indexes.datetimes class: DatetimeIndex
pandas.core.indexes.timedeltas class: TimedeltaIndex
pandas.core.indexes.period class: PeriodIndex
pandas.core.indexes.interval class: IntervalIndex
pandas.core.indexes.category class: CategoricalIndex
pandas.core.indexes.frozen list: FrozenList
pandas.indexes.base class: Index
pandas.indexes.range class: RangeIndex
pandas.core.frame class:state: DataFrame
pandas.core.series class:state: Series TimeSeries
pandas.core.internals class:state: BlockManager SingleBlockManager
pandas.core.internals.managers class:state|plain(xx/x): BlockManager SingleBlockManager
pandas.core.internals.blocks class:state: FloatBlock IntBlock ObjectBlock BoolBlock DatetimeBlock CategoricalBlock ExtensionBlock NumericBlock DatetimeTZBlock TimeDeltaBlock ComplexBlock
pandas.core.internals.blocks object(xx/p): new_block new_block_2d
pandas._libs.internals object(xxi): _unpickle_block
pandas._libs.internals object(x): BlockPlacement
pandas.core.indexing class: _LocIndexer _iLocIndexer
pandas._libs.tslibs.timestamps plain(xxx/x): _unpickle_timestamp
pandas._libs.tslibs.timestamps plain(pxx/xx): Timestamp
pandas._libs.tslib plain(pxx): Timestamp
pandas._libs.tslibs.timedeltas plain(p/p): _timedelta_unpickle Timedelta
pandas._libs.tslibs.nattype plain(/n): _nat_unpickle __nat_unpickle
pandas._libs.tslibs.nattype value: NaTType
pandas._libs.tslibs.period class:state|object(/xxxx): Period
pandas._libs.missing value: NA NAType
pandas._libs.interval plain(xxp): Interval
pandas._libs.arrays object(cip): __pyx_unpickle_NDArrayBacked
pandas._libs.arrays class:state: NDArrayBacked
pandas._libs.tslibs.offsets class:state|object(/xxxxxxxx): Day Hour Minute Second Milli Micro Nano BusinessDay BDay MonthEnd MonthBegin QuarterEnd QuarterBegin YearEnd YearBegin Week
  WeekOfMonth BusinessMonthEnd BusinessMonthBegin BMonthEnd BMonthBegin DateOffset SemiMonthEnd SemiMonthBegin BQuarterEnd BQuarterBegin BYearEnd BYearBegin CustomBusinessDay
pandas.core.indexes.interval index!: _new_IntervalIndex
pandas._libs.sparse plain(ix/x): IntIndex BlockIndex
pandas._libs.interval object(cix): __pyx_unpickle_IntervalMixin
pandas.core.arrays.categorical class:state: Categorical
pandas.core.arrays.datetimes class:state: DatetimeArray
pandas.core.arrays.timedeltas class:state: TimedeltaArray
pandas.core.arrays.period class:state: PeriodArray
pandas.core.arrays.interval class:state: IntervalArray
pandas.core.arrays.string_ class:state: StringArray
pandas.core.arrays.string_ class:state|plain(/xw): StringDtype
pandas.core.arrays.integer class:state: IntegerArray Int8Dtype Int16Dtype Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype UInt64Dtype
pandas.core.arrays.floating class:state: FloatingArray Float32Dtype Float64Dtype
pandas.core.arrays.boolean class:state: BooleanArray BooleanDtype
pandas.core.arrays.numpy_ class:state: PandasArray NumpyExtensionArray
pandas.core.arrays.sparse.array class:state: SparseArray
pandas.core.dtypes.dtypes class:state|plain(x): PeriodDtype
pandas.core.dtypes.dtypes class:state: CategoricalDtype DatetimeTZDtype IntervalDtype SparseDtype
pandas.core.flags class: Flags
pytz plain(/pppp): _UTC _p
pytz value: utc
dateutil.relativedelta class:state: relativedelta
dateutil.tz.tz class: tzutc tzlocal
"""),
    "imblearn": ("imbalanced-learn 0.7 to 0.14", "imblearn/base.py: samplers are estimators of scikit-learn's", "estimators that keep their parameters", """
imblearn.over_sampling._smote.base class:state: SMOTE SMOTEN SMOTENC BaseSMOTE
imblearn.over_sampling._smote.cluster class:state: KMeansSMOTE
imblearn.over_sampling._smote.filter class:state: BorderlineSMOTE SVMSMOTE
imblearn.over_sampling._adasyn class:state: ADASYN
imblearn.over_sampling._random_over_sampler class:state: RandomOverSampler
imblearn.under_sampling._prototype_selection._random_under_sampler class:state: RandomUnderSampler
imblearn.under_sampling._prototype_selection._tomek_links class:state: TomekLinks
imblearn.under_sampling._prototype_selection._nearmiss class:state: NearMiss
imblearn.combine._smote_enn class:state: SMOTEENN
imblearn.combine._smote_tomek class:state: SMOTETomek
imblearn.pipeline class:state: Pipeline
"""),
    "statsmodels": ("statsmodels 0.12 to 0.14", "statsmodels/base/data.py: __setstate__ evaluates a formula if the state asks for it", "tables of a model, whose state must not ask for a formula", """
statsmodels.base.data class:noformula: ModelData PandasData PatsyData
"""),
    "catboost": ("catboost 1.2", "catboost/core.py", "the model's bytes are read by the library itself", """
catboost.core class:state: CatBoost CatBoostClassifier CatBoostRegressor CatBoostRanker
"""),
    "lightgbm": ("lightgbm 3.3 to 4.6", "lightgbm/basic.py: __setstate__ reads the model's text", "the model's text is read by the library itself", """
lightgbm.basic class:state: Booster
"""),
    "xgboost": ("xgboost 1.7 to 3.1", "xgboost/core.py: __setstate__ reads the model's bytes", "the model's bytes are read by the library itself", """
xgboost.core class:state: Booster
"""),
    "tokenizers": ("tokenizers 0.10 to 0.22", "the sources of the bindings: __setstate__ reads JSON", "the state is JSON, which the library reads", """
tokenizers class:made: Tokenizer AddedToken
tokenizers.models class:state: Model BPE WordPiece WordLevel Unigram
tokenizers.normalizers class:state: Normalizer
tokenizers.pre_tokenizers class:state: PreTokenizer
tokenizers.processors class:state: PostProcessor
tokenizers.decoders class:state: Decoder
"""),
    "torch": ("torch 0.3 to 2.9", "torch/_utils.py, _tensor.py, storage.py, serialization.py of these versions",
              "tensors and their storages; rebuilding functions are held to what torch's own __reduce_ex__ writes", """
torch storage:4: FloatStorage IntStorage QInt32Storage
torch storage:8: DoubleStorage LongStorage ComplexFloatStorage
torch storage:2: HalfStorage ShortStorage BFloat16Storage
torch storage:1: ByteStorage CharStorage BoolStorage QInt8Storage QUInt8Storage QUInt4x2Storage QUInt2x4Storage UntypedStorage
torch storage:16: ComplexDoubleStorage
torch.cuda storage:4: FloatStorage IntStorage
torch.cuda storage:8: DoubleStorage LongStorage
torch.cuda storage:2: HalfStorage ShortStorage BFloat16Storage
torch.cuda storage:1: ByteStorage CharStorage BoolStorage
torch.storage storage:1: UntypedStorage _UntypedStorage
torch.storage frombytes!: _load_from_bytes
torch.storage class: TypedStorage _TypedStorage
torch value: float16 float32 float64 bfloat16 half float double complex32 complex64 complex128 uint8 uint16 uint32 uint64 int8 int16 int32 int64 short int long bool
  float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu qint8 quint8 qint32 quint4x2 quint2x4 uint1 uint2 uint3 uint4 uint5 uint6 uint7
  strided sparse_coo sparse_csr sparse_csc sparse_bsr sparse_bsc jagged contiguous_format channels_last preserve_format channels_last_3d
  per_tensor_affine per_channel_affine per_tensor_symmetric per_channel_symmetric per_channel_affine_float_qparams
  relu tanh sigmoid softmax exp log sqrt abs sin cos square selu relu_ celu log_softmax
torch value: FloatTensor DoubleTensor HalfTensor LongTensor IntTensor ShortTensor CharTensor ByteTensor BoolTensor BFloat16Tensor
torch.cuda value: FloatTensor DoubleTensor HalfTensor LongTensor IntTensor ShortTensor CharTensor ByteTensor BoolTensor BFloat16Tensor
torch plain(s/i): device
torch plain(/x): Size
torch class: Tensor
torch._C value: dtype layout memory_format qscheme
torch.serialization plain(s): _get_layout
torch._utils tensor(Sitt): _rebuild_tensor
torch._utils tensor(Sittio/pp): _rebuild_tensor_v2
torch._utils tensor(Sittiov/p): _rebuild_tensor_v3
torch._utils tensor(Tio): _rebuild_parameter
torch._utils tensor(Tiox): _rebuild_parameter_with_state
torch._utils tensor(xx): _rebuild_sparse_tensor
torch._utils tensor(xx): _rebuild_sparse_csr_tensor
torch._utils tensor(Sittxio): _rebuild_qtensor
torch._utils tensor(avsi): _rebuild_device_tensor_from_numpy
torch._utils tensor(Tvsi): _rebuild_device_tensor_from_cpu_tensor
torch._utils tensor(vtti): _rebuild_meta_tensor_no_storage
torch._utils tensor(TTTT): _rebuild_nested_tensor
torch._tensor fromtype!: _rebuild_from_type_v2
torch._tensor fromtype!: _rebuild_from_type
torch.nn.parameter class:state: Parameter Buffer UninitializedParameter
torch.nn.backends.thnn plain(): _get_thnn_function_backend
torch.nn.functional value: relu gelu silu elu selu leaky_relu tanh sigmoid softplus softmax log_softmax hardswish hardtanh mish celu glu relu6 hardsigmoid logsigmoid
  normalize dropout interpolate cross_entropy mse_loss l1_loss nll_loss binary_cross_entropy binary_cross_entropy_with_logits smooth_l1_loss
torch._C._nn value: gelu silu elu leaky_relu softplus hardswish hardtanh mish glu relu6 hardsigmoid log_sigmoid linear
torch.nn.init value: xavier_uniform_ xavier_normal_ kaiming_uniform_ kaiming_normal_ normal_ uniform_ zeros_ ones_ constant_ orthogonal_ trunc_normal_
torch.optim.adam class:state: Adam
torch.optim.adamw class:state: AdamW
torch.optim.adamax class:state: Adamax
torch.optim.adagrad class:state: Adagrad
torch.optim.adadelta class:state: Adadelta
torch.optim.asgd class:state: ASGD
torch.optim.nadam class:state: NAdam
torch.optim.radam class:state: RAdam
torch.optim.rprop class:state: Rprop
torch.optim.rmsprop class:state: RMSprop
torch.optim.sgd class:state: SGD
torch.optim._adafactor class:state: Adafactor
torch.optim.lbfgs class:state: LBFGS
torch.optim.sparse_adam class:state: SparseAdam
torch.jit._pickle plain(x): build_intlist build_doublelist build_boollist build_tensorlist
torch.jit._pickle tensor(i): build_tensor_from_id
torch.jit._pickle plain(xp): restore_type_tag
torch.utils.data._utils.collate value: default_collate
"""),
    "accelerate": ("accelerate 0.12 to 1.12", "accelerate/state.py and utils of these versions", "settings and state of a run", """
accelerate.state class: PartialState AcceleratorState
accelerate.utils.deepspeed class: HfDeepSpeedConfig
accelerate.utils.dataclasses class: DeepSpeedPlugin FullyShardedDataParallelPlugin
"""),
    "transformers": ("transformers 2.11 to 4.57", "the sources of these versions", "settings that wrap a dict", """
transformers.deepspeed class: HfDeepSpeedConfig HfTrainerDeepSpeedConfig
transformers.integrations class: HfDeepSpeedConfig HfTrainerDeepSpeedConfig
transformers.integrations.deepspeed class: HfDeepSpeedConfig HfTrainerDeepSpeedConfig
transformers.training_args class: TrainingArguments
transformers.training_args_seq2seq class: Seq2SeqTrainingArguments
"""),
    "omegaconf": ("omegaconf 2.0 to 2.3", "omegaconf/dictconfig.py, listconfig.py, base.py and nodes.py: __setstate__ keeps the state and types", "settings", """
omegaconf.base class: ContainerMetadata Metadata
omegaconf.dictconfig class:state: DictConfig
omegaconf.listconfig class:state: ListConfig
omegaconf.nodes class:state: AnyNode IntegerNode FloatNode StringNode BooleanNode EnumNode BytesNode PathNode
"""),
    "flair": ("flair 0.4 to 0.15", "flair/data.py, embeddings, models, optim.py and training_utils.py of these versions", "embeddings and taggers that set what they are trained with", """
flair.data class: Dictionary
flair.embeddings.token class:flair: TransformerWordEmbeddings
flair.embeddings.document class:flair: TransformerDocumentEmbeddings
flair.nn class: LockedDropout WordDropout
flair.training_utils class: AnnealOnPlateau
flair.optim class: LinearSchedulerWithWarmup
"""),
    "pyannote": ("pyannote.audio 2.1 to 3.4, pyannote.core 5", "pyannote/audio/core/task.py and model.py of these versions", "what a model was trained for", """
pyannote.audio.core.task class: Specifications
pyannote.audio.core.task enum: Problem Resolution
pyannote.audio.core.model class: Introspection
pyannote.core.segment class:slots: SlidingWindow Segment
"""),
    "pytorch_lightning": ("pytorch-lightning 1.0 to 2.5", "callbacks and utilities of these versions", "named as keys of a checkpoint", """
pytorch_lightning.callbacks.early_stopping class: EarlyStopping
pytorch_lightning.callbacks.model_checkpoint class: ModelCheckpoint
pytorch_lightning.utilities.parsing dict: AttributeDict
pytorch_lightning.trainer.states enum: RunningStage TrainerFn TrainerStatus
"""),
    "fairseq": ("fairseq 0.10 to 0.12", "fairseq/data/dictionary.py and dataclass of these versions", "vocabularies and settings", """
fairseq.data.dictionary class: Dictionary
fairseq.meters class: AverageMeter TimeMeter StopwatchMeter
fairseq.logging.meters class:state: AverageMeter SumMeter TimeMeter StopwatchMeter
"""),
    "scripts": ("the training scripts of the projects", "the names alone: no such module is installed with a framework",
                "a script's own subclass of transformers.TrainingArguments, or its settings: made without arguments, its state set from a dict", """
__main__ class: TrainingArguments DistillationTrainingArguments ModelArguments DataArguments DataTrainingArguments CustomTrainingArguments LoraArguments
  Seq2SeqTrainingArguments FinetuneArguments FinetuningArguments GeneratorArguments ScriptArguments Seq2SeqArguments CustomArguments
llava.train.train class: TrainingArguments ModelArguments DataArguments
mplug_owl2.train.train class: TrainingArguments ModelArguments DataArguments
fastchat.train.train class: TrainingArguments ModelArguments DataArguments
longva.train.train class: TrainingArguments
tinyllava.utils.arguments class: TrainingArguments
tinyllava.train.train class: TrainingArguments
bunny.train.train class: TrainingArguments
videollava.train.train class: TrainingArguments
moellava.train.train class: TrainingArguments
llamavid.train.train class: TrainingArguments
llmtuner.hparams.training_args class: TrainingArguments
llamafactory.hparams.training_args class: TrainingArguments RayArguments
llmtuner.hparams.finetuning_args class: FinetuningArguments
axolotl.core.trainer_builder class: AxolotlTrainingArguments
axolotl.core.training_args class: AxolotlTrainingArguments
alignment.configs class: SFTConfig DPOConfig ORPOConfig
swift.trainers.arguments class: Seq2SeqTrainingArguments TrainingArguments
swift.trainers class: Seq2SeqTrainingArguments TrainingArguments
FlagEmbedding.baai_general_embedding.finetune.arguments class: RetrieverTrainingArguments
FlagEmbedding.BGE_M3.arguments class: RetrieverTrainingArguments
tevatron.arguments class: DenseTrainingArguments TevatronTrainingArguments
sentence_transformers.training_args class: SentenceTransformerTrainingArguments
optimum.habana.transformers.training_args class: GaudiTrainingArguments
optimum.graphcore.training_args class: IPUTrainingArguments
optimum.graphcore.ipu_configuration class: IPUConfig
optimum.intel.openvino.training_args class: OVTrainingArguments
adapters.training class: AdapterArguments
adapter_transformers.training class: AdapterArguments
yacs.config dict: CfgNode
fvcore.common.config dict: CfgNode
easydict dict: EasyDict
detectron2.config.config dict: CfgNode
models.yolo class:state: Model DetectionModel SegmentationModel ClassificationModel Detect Segment BaseModel IDetect IAuxDetect IKeypoint IBin
models.common class:state: Conv DWConv Bottleneck BottleneckCSP C3 C3TR C3x C3SPP C3Ghost SPP SPPF Focus GhostConv GhostBottleneck Concat Contract Expand Classify Proto TransformerBlock
  TransformerLayer MP SP ReOrg RepConv SPPCSPC Shortcut Foldcut ImplicitA ImplicitM CrossConv
models.experimental class:state: CrossConv Sum MixConv2d Ensemble
"""),
}

HEAD = """# framework: {name}
# versions: {versions}
# source: {source}
# reason: {reason}
"""


def main():
    out = pathlib.Path(__file__).parent.parent / "reviewed"
    written = set()
    for name, (versions, source, reason, blocks) in FILES.items():
        lines, head = {}, None
        for line in blocks.strip("\n").split("\n"):
            if not line.startswith(" "):
                head, _, names = line.rpartition(": ")
                module, _, contract = head.partition(" ")
            else:
                names = line
            for n in names.split():
                if lines.get(f"{module} {n}", contract) != contract:
                    raise SystemExit(f"{module} {n} is there twice")
                lines[f"{module} {n}"] = contract
        text = HEAD.format(name=name, versions=versions, source=source, reason=reason)
        tops = {k.split(".")[0].split(" ")[0] for k in lines} if name not in ("python", "scripts") else {name}
        for top in tops:  # the program looks for a name in the file of its package
            of = sorted(f"{k} {v}\n" for k, v in lines.items() if top == name or k.split(".")[0].split(" ")[0] == top)
            if top == name and len(tops) > 1:
                of = [line for line in of if line.split(".")[0].split(" ")[0] == top]
            if (out / f"{top}.txt") in written:
                raise SystemExit(f"{top} has two files")
            written.add(out / f"{top}.txt")
            (out / f"{top}.txt").write_text(text + "".join(of))


if __name__ == "__main__":
    main()
